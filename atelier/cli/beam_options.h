// The options of beam search (docs/guide/beam-search.md).
#pragma once

#include <string>

#include "atelier/base/json.h"
#include "atelier/cli/args.h"
#include "atelier/generate/request.h"

namespace atelier::cli {

class BeamArgs {
 public:
  void declare(Args& args);

  bool is_given() const { return options_.num_beams > 1; }
  generate::BeamOptions options() const;

 private:
  generate::BeamOptions options_;
  std::string early_stopping_ = "no";
};

// [{"text","ids","score","finish_reason"}], the best first.
Json beams_json(const std::vector<generate::Beam>& beams);

}  // namespace atelier::cli
