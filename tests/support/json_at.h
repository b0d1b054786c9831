// A member deep inside a JSON value, for tests: at(json, {"choices", "0", "text"}).
#pragma once

#include <cstdlib>
#include <initializer_list>
#include <stdexcept>
#include <string>

#include "atelier/base/json.h"

namespace atelier::testing {

inline const Json& at(const Json& json, std::initializer_list<const char*> path) {
  const Json* found = &json;
  for (const char* key : path) {
    found = found->is_array() ? &found->as_array().at(static_cast<size_t>(std::atol(key))) : found->find(key);
    if (found == nullptr) throw std::out_of_range(std::string(key) + " in " + json.dump());
  }
  return *found;
}

// Of a value that goes: a copy.
inline Json at(Json&& json, std::initializer_list<const char*> path) { return at(static_cast<const Json&>(json), path); }

}  // namespace atelier::testing
