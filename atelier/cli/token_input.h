// The tokens that a verb looks at: a text, or ids taken as given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "atelier/cli/args.h"
#include "atelier/models/model.h"

namespace atelier::cli {

class TokenInput {
 public:
  void declare(Args& args);  // --ids, --prompt, --special

  // InvalidArgument unless exactly one of --ids and --prompt was given; `verb` is whose --help is named.
  Status check(const char* verb) const;
  Result<std::vector<int32_t>> ids(const models::Model& model) const;  // after check()

 private:
  std::optional<std::string> ids_, prompt_;
  bool parse_special_ = false;
};

}  // namespace atelier::cli
