// MODEL and --dtype of the verbs that run encoders.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>

#include "atelier/cli/command.h"
#include "atelier/models/model.h"

namespace atelier::cli {

struct EncoderOptions {
  std::string model;  // path or name in the store
  std::string dtype = "auto";

  void declare(Args& args);
  Result<std::unique_ptr<models::Model>> load() const;
  // The same, with its tokenizer, if the model has a head of one of these kinds; `verb` stands in the error.
  Result<std::unique_ptr<models::Model>> load_with_head(const char* verb, std::initializer_list<nn::HeadKind> kinds) const;
};

}  // namespace atelier::cli
