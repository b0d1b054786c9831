// The `model` object of a tokenizer.json to a model.
#pragma once

#include <memory>
#include <string>

#include "atelier/base/json.h"
#include "atelier/tokenize/model.h"

namespace atelier::tokenize {

Result<std::unique_ptr<Model>> create_model(const Json& json, const std::string& name);

// {"token": id, …}
Result<Vocabulary> parse_vocabulary(const Json& json, const std::string& name);

}  // namespace atelier::tokenize
