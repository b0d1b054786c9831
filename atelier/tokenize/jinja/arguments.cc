#include "atelier/tokenize/jinja/arguments.h"

#include <algorithm>

#include "atelier/tokenize/jinja/operators.h"

namespace atelier::tokenize::jinja {

Parameters::Parameters(std::string_view function, const Arguments& arguments, std::initializer_list<std::string_view> names,
                       size_t num_required)
    : function_(function), names_(names), values_(names.size()), given_(names.size(), false) {
  if (arguments.positional.size() > names.size()) {
    fail("takes at most " + std::to_string(names.size()) + " arguments, " + std::to_string(arguments.positional.size()) + " were given");
  }
  for (size_t i = 0; i < arguments.positional.size(); ++i) {
    values_[i] = arguments.positional[i];
    given_[i] = true;
  }
  for (const auto& [name, value] : arguments.keyword) {
    auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) fail("got an unexpected keyword argument '" + name + "'");
    size_t i = found - names_.begin();
    if (given_[i]) fail("got two values for argument '" + name + "'");
    values_[i] = value;
    given_[i] = true;
  }
  for (size_t i = 0; i < num_required; ++i) {
    if (!given_[i]) fail("needs the argument '" + std::string(names_[i]) + "'");
  }
}

void Parameters::fail(const std::string& what) const { throw TemplateError(function_ + "() " + what); }

int64_t Parameters::integer(size_t i, int64_t fallback) const {
  if (!has(i)) return fallback;
  if (values_[i].is_undefined()) fail_undefined(values_[i]);
  if (!values_[i].is_integral()) fail("wants an integer as '" + std::string(names_[i]) + "', got " + values_[i].type_name());
  return values_[i].as_int();
}

bool Parameters::flag(size_t i, bool fallback) const { return has(i) ? truthy(values_[i]) : fallback; }

const Text& Parameters::text(size_t i) const {
  if (values_[i].is_undefined()) fail_undefined(values_[i]);
  if (!values_[i].is_string()) fail("wants a str as '" + std::string(names_[i]) + "', got " + values_[i].type_name());
  return values_[i].text();
}

}  // namespace atelier::tokenize::jinja
