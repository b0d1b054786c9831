// Binding of call arguments to named parameters, with Python's complaints.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/tokenize/jinja/runtime.h"

namespace atelier::tokenize::jinja {

class Parameters {
 public:
  // Binds to `names`, the first `num_required` of which must be given. `function` stands in error messages.
  Parameters(std::string_view function, const Arguments& arguments, std::initializer_list<std::string_view> names, size_t num_required = 0);

  bool has(size_t i) const { return given_[i]; }
  const Value& operator[](size_t i) const { return values_[i]; }  // None when it was not given

  // The parameter as that kind, or the fallback when it was not given. None is refused where Python would refuse it.
  int64_t integer(size_t i, int64_t fallback) const;
  bool flag(size_t i, bool fallback) const;
  const Text& text(size_t i) const;  // must have been given

 private:
  [[noreturn]] void fail(const std::string& what) const;
  std::string function_;
  std::vector<std::string_view> names_;
  std::vector<Value> values_;
  std::vector<bool> given_;
};

}  // namespace atelier::tokenize::jinja
