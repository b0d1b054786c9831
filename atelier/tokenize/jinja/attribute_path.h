// attribute="function.name": the path that filters such as map, sort and selectattr follow into each item.
#pragma once

#include <optional>

#include "atelier/tokenize/jinja/runtime.h"

namespace atelier::tokenize::jinja {

class AttributePath {
 public:
  AttributePath() = default;  // the item itself
  // A name, names with dots between them, or an index. None is the item itself.
  explicit AttributePath(const Value& attribute);

  // `fallback` replaces what is undefined on the way.
  Value follow(Runtime& runtime, const Value& item, const std::optional<Value>& fallback = std::nullopt) const;

 private:
  Items steps_;
};

// What sort, unique, min, max and groupby compare: strings in lower case unless case counts.
Value comparison_key(Runtime& runtime, const Value& value, bool is_case_sensitive);

}  // namespace atelier::tokenize::jinja
