#include "atelier/tokenize/jinja/tests.h"

#include <unordered_map>

#include "atelier/tokenize/jinja/arguments.h"
#include "atelier/tokenize/jinja/filters.h"
#include "atelier/tokenize/jinja/methods.h"
#include "atelier/tokenize/jinja/operators.h"
#include "atelier/tokenize/jinja/repr.h"
#include "atelier/tokenize/jinja/unicode.h"

namespace atelier::tokenize::jinja {

namespace {

using TestBody = bool (*)(Runtime&, const Value&, const Value& argument);

bool divides(Runtime& runtime, const Value& value, const Value& by) { return !truthy(arithmetic(runtime, Arithmetic::kModulo, value, by)); }

bool is_odd(Runtime& runtime, const Value& value, const Value&) {
  return equals(runtime, arithmetic(runtime, Arithmetic::kModulo, value, Value::integer(2)), Value::integer(1));
}

bool is_even(Runtime& runtime, const Value& value, const Value&) { return divides(runtime, value, Value::integer(2)); }

bool is_sequence(Runtime&, const Value& value, const Value&) {
  size_t length;
  auto iterable = value.object_as<Iterable>();
  return length_of(value, length) && (!iterable || iterable->iterable_kind() == Iterable::Kind::kRange);
}

bool has_case(Runtime& runtime, const Value& value, bool (*is_wanted)(char32_t)) {
  return is_all_cased(runtime, to_str(runtime, value).text(), is_wanted);
}

bool is_callable(Runtime&, const Value& value, const Value&) {
  return value.kind() == Value::Kind::kObject ? value.object()->is_callable() : value.is_undefined();
}

bool names_filter(Runtime&, const Value& value, const Value&) {
  if (!value.is_string()) return false;
  const std::string& name = value.bytes();
  return text_filter(name) || number_filter(name) || sequence_filter(name) || selection_filter(name);
}

struct TestEntry {
  size_t num_arguments;
  TestBody body;
};

const std::unordered_map<std::string_view, TestEntry>& all_tests() {
  static constexpr TestBody kEqual = [](Runtime& r, const Value& a, const Value& b) { return equals(r, a, b); };
  static constexpr TestBody kNotEqual = [](Runtime& r, const Value& a, const Value& b) { return !equals(r, a, b); };
  static constexpr TestBody kLess = [](Runtime& r, const Value& a, const Value& b) { return compare(r, a, b, "<") < 0; };
  static constexpr TestBody kLessEqual = [](Runtime& r, const Value& a, const Value& b) { return compare(r, a, b, "<=") <= 0; };
  static constexpr TestBody kGreater = [](Runtime& r, const Value& a, const Value& b) { return compare(r, a, b, ">") > 0; };
  static constexpr TestBody kGreaterEqual = [](Runtime& r, const Value& a, const Value& b) { return compare(r, a, b, ">=") >= 0; };
  static const std::unordered_map<std::string_view, TestEntry> kTests = {
      {"odd", {0, is_odd}},
      {"even", {0, is_even}},
      {"divisibleby", {1, divides}},
      {"defined", {0, [](Runtime&, const Value& v, const Value&) { return !v.is_undefined(); }}},
      {"undefined", {0, [](Runtime&, const Value& v, const Value&) { return v.is_undefined(); }}},
      {"none", {0, [](Runtime&, const Value& v, const Value&) { return v.is_none(); }}},
      {"boolean", {0, [](Runtime&, const Value& v, const Value&) { return v.is_bool(); }}},
      {"true", {0, [](Runtime&, const Value& v, const Value&) { return v.is_bool() && v.as_bool(); }}},
      {"false", {0, [](Runtime&, const Value& v, const Value&) { return v.is_bool() && !v.as_bool(); }}},
      {"integer", {0, [](Runtime&, const Value& v, const Value&) { return v.is_integral() && !v.is_bool(); }}},
      {"float", {0, [](Runtime&, const Value& v, const Value&) { return v.is_float(); }}},
      {"number", {0, [](Runtime&, const Value& v, const Value&) { return v.is_number(); }}},
      {"string", {0, [](Runtime&, const Value& v, const Value&) { return v.is_string(); }}},
      {"mapping", {0, [](Runtime&, const Value& v, const Value&) { return v.is_dict(); }}},
      {"sequence", {0, is_sequence}},
      {"iterable", {0, [](Runtime&, const Value& v, const Value&) { return is_iterable(v); }}},
      {"callable", {0, is_callable}},
      {"lower", {0, [](Runtime& r, const Value& v, const Value&) { return has_case(r, v, is_lower); }}},
      {"upper", {0, [](Runtime& r, const Value& v, const Value&) { return has_case(r, v, is_upper); }}},
      {"escaped", {0, [](Runtime&, const Value& v, const Value&) { return v.is_markup(); }}},
      {"sameas", {1, [](Runtime&, const Value& a, const Value& b) { return a.is_same_as(b); }}},
      {"in", {1, [](Runtime& r, const Value& a, const Value& b) { return contains(r, b, a); }}},
      {"filter", {0, names_filter}},
      {"test", {0, [](Runtime&, const Value& v, const Value&) { return v.is_string() && all_tests().contains(v.bytes()); }}},
      {"==", {1, kEqual}},
      {"eq", {1, kEqual}},
      {"equalto", {1, kEqual}},
      {"!=", {1, kNotEqual}},
      {"ne", {1, kNotEqual}},
      {"<", {1, kLess}},
      {"lt", {1, kLess}},
      {"lessthan", {1, kLess}},
      {"<=", {1, kLessEqual}},
      {"le", {1, kLessEqual}},
      {">", {1, kGreater}},
      {"gt", {1, kGreater}},
      {"greaterthan", {1, kGreater}},
      {">=", {1, kGreaterEqual}},
      {"ge", {1, kGreaterEqual}},
  };
  return kTests;
}

}  // namespace

bool apply_test(Runtime& runtime, const std::string& name, const Value& value, Arguments& arguments) {
  auto found = all_tests().find(name);
  if (found == all_tests().end()) throw TemplateError("No test named '" + name + "'.");
  const TestEntry& test = found->second;
  size_t num_given = arguments.positional.size() + arguments.keyword.size();
  if (num_given != test.num_arguments) {
    throw TemplateError("the test '" + name + "' takes " + std::to_string(test.num_arguments) + " arguments, " + std::to_string(num_given) +
                        " were given");
  }
  Value argument;
  if (num_given == 1) argument = arguments.positional.empty() ? arguments.keyword[0].second : arguments.positional[0];
  return test.body(runtime, value, argument);
}

}  // namespace atelier::tokenize::jinja
