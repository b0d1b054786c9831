// YAML as Json values: recipes in, config.yaml out. yaml-cpp is hidden here.
//
// Plain scalars are null, booleans, integers and numbers where they read as such ("1e-3" is a number), else strings; quoted scalars are
// strings. Aliases are copied; a document may hold at most 10,000 values.
#pragma once

#include <string>
#include <string_view>

#include "atelier/base/json.h"
#include "atelier/base/status.h"

namespace atelier::train {

// Corrupt: "recipe.yaml: line 3: ...". `name` stands in errors.
Result<Json> parse_yaml(std::string_view text, const std::string& name);
std::string to_yaml(const Json& json);

}  // namespace atelier::train
