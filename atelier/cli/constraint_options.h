// What an answer may look like: a grammar, a JSON schema, a regular expression or a list of texts (docs/guide/constraints.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "atelier/cli/command.h"
#include "atelier/generate/request.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::cli {

class ConstraintArgs {
 public:
  void declare(Args& args);

  // Sets options.mask when something was typed; its stop_ids must be set before. InvalidArgument says what cannot be followed.
  Status apply(const tokenize::Tokenizer& tokenizer, generate::GenerateOptions& options) const;

 private:
  std::optional<std::string> grammar_, schema_, regex_;
  std::vector<std::string> choices_;
  bool wants_object_ = false;
};

}  // namespace atelier::cli
