// The options of beam search (docs/guide/beam-search.md) and of rules about single tokens.
#pragma once

#include <optional>
#include <string>

#include "atelier/base/json.h"
#include "atelier/cli/args.h"
#include "atelier/generate/request.h"

namespace atelier::cli {

class BeamArgs {
 public:
  void declare(Args& args);

  bool is_given() const { return num_beams_.value_or(1) > 1; }
  // What was typed, and `defaults` for what was not.
  generate::BeamOptions options(const generate::BeamOptions& defaults = {}) const;

 private:
  std::optional<int64_t> num_beams_;
  std::optional<double> length_penalty_;
  std::string length_normal_ = "length", early_stopping_ = "auto";
};

// The rules about single tokens (docs/guide/translate.md).
class RuleArgs {
 public:
  void declare(Args& args);

  generate::TokenRules rules(const generate::TokenRules& defaults) const;

 private:
  std::optional<int64_t> no_repeat_ngram_, min_tokens_, forced_first_, forced_last_;
};

// [{"text","ids","score","finish_reason"}], the best first.
Json beams_json(const std::vector<generate::Beam>& beams);

}  // namespace atelier::cli
