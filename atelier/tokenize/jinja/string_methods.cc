// The methods of str that templates may call.
#include <algorithm>
#include <unordered_map>

#include "atelier/text/utf8.h"
#include "atelier/tokenize/jinja/arguments.h"
#include "atelier/tokenize/jinja/methods.h"
#include "atelier/tokenize/jinja/operators.h"
#include "atelier/tokenize/jinja/str_format.h"
#include "atelier/tokenize/jinja/text_algorithms.h"
#include "atelier/tokenize/jinja/unicode.h"

namespace atelier::tokenize::jinja {

namespace {

const Text* text_or_null(const Parameters& parameters, size_t i) {
  return parameters.has(i) && !parameters[i].is_none() ? &parameters.text(i) : nullptr;
}

Value list_of(Runtime& runtime, const Value& string, const std::vector<ByteRange>& ranges) {
  Items items;
  for (ByteRange range : ranges) items.push_back(substring(runtime, string, range));
  return Value::list(std::move(items));
}

template <Side kSide>
Value strip_method(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("strip", arguments, {"chars"});
  return substring(runtime, self, strip(runtime, self.text(), text_or_null(parameters, 0), kSide));
}

template <bool kFromRight>
Value split_method(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("split", arguments, {"sep", "maxsplit"});
  return list_of(runtime, self, split(runtime, self.text(), text_or_null(parameters, 0), parameters.integer(1, -1), kFromRight));
}

Value splitlines(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("splitlines", arguments, {"keepends"});
  return list_of(runtime, self, split_lines(runtime, self.text(), parameters.flag(0, false)));
}

template <bool kFromRight>
Value partition(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("partition", arguments, {"sep"}, 1);
  const Text& separator = parameters.text(0);
  if (separator.size() == 0) throw TemplateError("empty separator");
  size_t size = self.text().size();
  auto found = find(runtime, self.text(), separator, {0, size}, kFromRight);
  Value empty = Value::constant("");
  if (!found) return kFromRight ? Value::tuple({empty, empty, self}) : Value::tuple({self, empty, empty});
  size_t end = *found + separator.size();  // the separator is the text's own, not the argument: its origin counts
  return Value::tuple(
      {substring(runtime, self, {0, *found}), substring(runtime, self, {*found, end}), substring(runtime, self, {end, size})});
}

// The bytes between the code points `start` and `end` of s.find(x, start, end) and its like; nothing when start lies behind the end.
std::optional<ByteRange> window(const Text& text, const Parameters& parameters) {
  int64_t length = static_cast<int64_t>(text.length());
  auto position = [&](size_t i, int64_t fallback) {
    int64_t index = parameters[i].is_none() ? fallback : parameters.integer(i, fallback);
    return index < 0 ? std::max<int64_t>(index + length, 0) : index;
  };
  int64_t begin = position(1, 0);
  int64_t end = std::min(position(2, length), length);
  if (begin > end) return std::nullopt;
  return ByteRange{text.byte_of(begin), text.byte_of(end)};
}

template <bool kIsLast, bool kMustExist>
Value find_method(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("find", arguments, {"sub", "start", "end"}, 1);
  const Text& needle = parameters.text(0);
  auto range = window(self.text(), parameters);
  auto found = range ? find(runtime, self.text(), needle, *range, kIsLast) : std::nullopt;
  if (!found && kMustExist) throw TemplateError("substring not found");
  int64_t index = found ? static_cast<int64_t>(text::count_characters(self.text().view().substr(0, *found))) : -1;
  return Value::integer(index, joint_origin(self, parameters[0]));
}

Value count(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("count", arguments, {"sub", "start", "end"}, 1);
  const Text& needle = parameters.text(0);
  Origin origin = joint_origin(self, parameters[0]);
  auto range = window(self.text(), parameters);
  if (!range) return Value::integer(0, origin);
  if (needle.size() == 0) {
    size_t length = text::count_characters(self.text().view().substr(range->first, range->second - range->first));
    return Value::integer(static_cast<int64_t>(length) + 1, origin);
  }
  int64_t num_found = 0;
  while (auto found = find(runtime, self.text(), needle, *range)) {
    ++num_found;
    range->first = *found + needle.size();
  }
  return Value::integer(num_found, origin);
}

bool has_affix(const Text& text, ByteRange range, const Text& affix, bool is_prefix) {
  if (affix.size() > range.second - range.first) return false;
  size_t at = is_prefix ? range.first : range.second - affix.size();
  return text.view().substr(at, affix.size()) == affix.view();
}

template <bool kIsPrefix>
Value affix_test(Runtime& runtime, const Value& self, Arguments& arguments) {
  const char* name = kIsPrefix ? "startswith" : "endswith";
  Parameters parameters(name, arguments, {"affix", "start", "end"}, 1);
  auto range = window(self.text(), parameters);
  auto matches = [&](const Value& affix) {
    if (affix.is_undefined()) fail_undefined(affix);
    if (!affix.is_string()) throw TemplateError(std::string(name) + " first arg must be str or a tuple of str, not " + affix.type_name());
    runtime.budget.work(affix.text().size());
    return range && has_affix(self.text(), *range, affix.text(), kIsPrefix);
  };
  Origin origin = joint_origin(self, parameters[0]);
  if (parameters[0].kind() != Value::Kind::kTuple) return Value::boolean(matches(parameters[0]), origin);
  const Items& affixes = parameters[0].items();
  return Value::boolean(std::any_of(affixes.begin(), affixes.end(), matches), origin);
}

template <bool kIsPrefix>
Value remove_affix(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters(kIsPrefix ? "removeprefix" : "removesuffix", arguments, {"affix"}, 1);
  const Text& affix = parameters.text(0);
  ByteRange all{0, self.text().size()};
  if (!has_affix(self.text(), all, affix, kIsPrefix)) return self;
  return substring(runtime, self, kIsPrefix ? ByteRange{affix.size(), all.second} : ByteRange{0, all.second - affix.size()});
}

template <Case kCase>
Value case_method(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("case", arguments, {});
  return change_case(runtime, self.text(), kCase);
}

Value replace_method(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("replace", arguments, {"old", "new", "count"}, 2);
  return replace(runtime, self.text(), parameters.text(0), parameters.text(1), parameters.integer(2, -1));
}

Value join_method(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("join", arguments, {"iterable"}, 1);
  Items items = iterate(runtime, parameters[0]);
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].is_string()) continue;
    throw TemplateError("sequence item " + std::to_string(i) + ": expected str instance, " + items[i].type_name() + " found");
  }
  return join(runtime, self.text(), items);
}

Value format_method(Runtime& runtime, const Value& self, Arguments& arguments) { return str_format(runtime, self.text(), arguments); }

enum class Justify { kLeft, kRight, kCenter };

template <Justify kJustify>
Value justify(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("justify", arguments, {"width", "fillchar"}, 1);
  Text space(" ", kTemplate);
  int64_t width = parameters.integer(0, 0);
  int64_t missing = std::max<int64_t>(width - static_cast<int64_t>(self.text().length()), 0);
  // As CPython: the odd space of a centred text goes left when the width is odd too.
  int64_t left = kJustify == Justify::kLeft ? 0 : kJustify == Justify::kRight ? missing : missing / 2 + (missing & width & 1);
  return pad(runtime, self.text(), left, missing - left, parameters.has(1) ? parameters.text(1) : space);
}

Value zfill(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("zfill", arguments, {"width"}, 1);
  const Text& text = self.text();
  int64_t missing = std::max<int64_t>(parameters.integer(0, 0) - static_cast<int64_t>(text.length()), 0);
  size_t sign = text.size() > 0 && (text.bytes()[0] == '-' || text.bytes()[0] == '+') ? 1 : 0;
  Value rest = substring(runtime, self, {sign, text.size()});
  TextBuilder builder(runtime.budget);
  builder.append(text, 0, sign);
  builder.append(pad(runtime, rest.text(), missing, 0, Text("0", kTemplate)).text());
  return Value::string(builder.finish());
}

Value expandtabs(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("expandtabs", arguments, {"tabsize"});
  int64_t size = std::min<int64_t>(parameters.integer(0, 8), static_cast<int64_t>(kMaxText));
  TextBuilder builder(runtime.budget);
  int64_t column = 0;
  std::string_view s = self.text().view();
  for (size_t at = 0; at < s.size();) {
    size_t begin = at;
    char32_t c = decode(s, at);
    if (c != '\t') {
      builder.append(self.text(), begin, at);
      column = c == '\n' || c == '\r' ? 0 : column + 1;
      continue;
    }
    int64_t num_spaces = size > 0 ? size - column % size : 0;
    builder.append(std::string(num_spaces, ' '), self.text().origin_at(begin));
    column += num_spaces;
  }
  return Value::string(builder.finish());
}

template <bool (*kClass)(char32_t)>
Value all_in_class(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("is", arguments, {});
  std::string_view s = self.text().view();
  runtime.budget.work(s.size());
  bool result = !s.empty();
  for (size_t at = 0; result && at < s.size();) result = kClass(decode(s, at));
  return Value::boolean(result, self.origin());
}

bool is_alphanumeric(char32_t c) { return is_alpha(c) || is_numeric(c); }

// isupper and islower: at least one cased character, and all of them of that case.
template <bool (*kWanted)(char32_t)>
Value all_cased_in(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("is", arguments, {});
  return Value::boolean(is_all_cased(runtime, self.text(), kWanted), self.origin());
}

Value istitle(Runtime& runtime, const Value& self, Arguments& arguments) {
  Parameters parameters("istitle", arguments, {});
  std::string_view s = self.text().view();
  runtime.budget.work(s.size());
  bool any = false, after_cased = false;
  for (size_t at = 0; at < s.size();) {
    char32_t c = decode(s, at);
    if (is_cased(c) && after_cased == is_upper(c)) return Value::boolean(false, self.origin());
    after_cased = is_cased(c);
    any = any || after_cased;
  }
  return Value::boolean(any, self.origin());
}

Value isascii(Runtime&, const Value& self, Arguments&) { return Value::boolean(self.text().is_ascii(), self.origin()); }
Value isidentifier(Runtime&, const Value& self, Arguments&) { return Value::boolean(is_identifier(self.bytes()), self.origin()); }

Value isprintable(Runtime& runtime, const Value& self, Arguments& arguments) {
  if (self.text().size() == 0) return Value::boolean(true);
  return all_in_class<is_printable>(runtime, self, arguments);
}

}  // namespace

bool is_all_cased(Runtime& runtime, const Text& text, bool (*is_wanted)(char32_t)) {
  runtime.budget.work(text.size());
  bool any = false;
  for (size_t at = 0; at < text.size();) {
    char32_t c = decode(text.view(), at);
    if (is_cased(c) && !is_wanted(c)) return false;
    any = any || is_cased(c);
  }
  return any;
}

Function::Body string_method(std::string_view name) {
  static const std::unordered_map<std::string_view, Function::Body> kMethods = {
      {"capitalize", case_method<Case::kCapitalize>},
      {"casefold", case_method<Case::kFold>},
      {"center", justify<Justify::kCenter>},
      {"count", count},
      {"endswith", affix_test<false>},
      {"expandtabs", expandtabs},
      {"find", find_method<false, false>},
      {"format", format_method},
      {"index", find_method<false, true>},
      {"isalnum", all_in_class<is_alphanumeric>},
      {"isalpha", all_in_class<is_alpha>},
      {"isascii", isascii},
      {"isdecimal", all_in_class<is_decimal>},
      {"isdigit", all_in_class<is_digit>},
      {"isidentifier", isidentifier},
      {"islower", all_cased_in<is_lower>},
      {"isnumeric", all_in_class<is_numeric>},
      {"isprintable", isprintable},
      {"isspace", all_in_class<is_space>},
      {"istitle", istitle},
      {"isupper", all_cased_in<is_upper>},
      {"join", join_method},
      {"ljust", justify<Justify::kLeft>},
      {"lower", case_method<Case::kLower>},
      {"lstrip", strip_method<Side::kLeft>},
      {"partition", partition<false>},
      {"removeprefix", remove_affix<true>},
      {"removesuffix", remove_affix<false>},
      {"replace", replace_method},
      {"rfind", find_method<true, false>},
      {"rindex", find_method<true, true>},
      {"rjust", justify<Justify::kRight>},
      {"rpartition", partition<true>},
      {"rsplit", split_method<true>},
      {"rstrip", strip_method<Side::kRight>},
      {"split", split_method<false>},
      {"splitlines", splitlines},
      {"startswith", affix_test<true>},
      {"strip", strip_method<Side::kBoth>},
      {"swapcase", case_method<Case::kSwap>},
      {"title", case_method<Case::kTitle>},
      {"upper", case_method<Case::kUpper>},
      {"zfill", zfill},
  };
  auto found = kMethods.find(name);
  return found == kMethods.end() ? nullptr : found->second;
}

}  // namespace atelier::tokenize::jinja
