#include "atelier/tokenize/jinja/text_algorithms.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "atelier/tokenize/jinja/repr.h"
#include "atelier/tokenize/jinja/unicode.h"

namespace atelier::tokenize::jinja {

namespace {

std::set<char32_t> code_points(const Text& text) {
  std::set<char32_t> set;
  for (size_t at = 0; at < text.size();) set.insert(decode(text.view(), at));
  return set;
}

// str.split() without a separator: words between runs of white space.
std::vector<ByteRange> split_words(const Text& text, int64_t max_splits) {
  std::vector<ByteRange> words;
  std::string_view s = text.view();
  size_t at = 0;
  for (;;) {
    size_t begin = at;
    while (at < s.size() && is_space(decode(s, at))) begin = at;
    if (begin >= s.size()) return words;
    if (max_splits >= 0 && words.size() == static_cast<size_t>(max_splits)) {
      words.emplace_back(begin, s.size());
      return words;
    }
    size_t end = at = begin;
    while (at < s.size() && !is_space(decode(s, at))) end = at;
    words.emplace_back(begin, end);
    at = end;
  }
}

// str.rsplit() without a separator: the words that are cut off come from the end.
std::vector<ByteRange> split_words_from_right(const Text& text, int64_t max_splits) {
  std::vector<ByteRange> words;
  std::string_view s = text.view();
  size_t at = s.size();
  for (;;) {
    size_t end = at;
    while (at > 0 && is_space(decode_before(s, at))) end = at;
    if (end == 0) break;
    if (max_splits >= 0 && words.size() == static_cast<size_t>(max_splits)) {
      words.emplace_back(0, end);
      break;
    }
    size_t begin = at = end;
    while (at > 0 && !is_space(decode_before(s, at))) begin = at;
    words.emplace_back(begin, end);
    at = begin;
  }
  std::reverse(words.begin(), words.end());
  return words;
}

std::vector<ByteRange> split_at(Runtime& runtime, const Text& text, const Text& separator, int64_t max_splits, bool from_right) {
  if (separator.size() == 0) throw TemplateError("empty separator");
  std::vector<ByteRange> parts;
  ByteRange rest{0, text.size()};
  while (max_splits < 0 || parts.size() < static_cast<size_t>(max_splits)) {
    auto found = find(runtime, text, separator, rest, from_right);
    if (!found) break;
    runtime.budget.step();
    if (from_right) {
      parts.emplace_back(*found + separator.size(), rest.second);
      rest.second = *found;
    } else {
      parts.emplace_back(rest.first, *found);
      rest.first = *found + separator.size();
    }
  }
  parts.push_back(rest);
  if (from_right) std::reverse(parts.begin(), parts.end());
  return parts;
}

// The code point c at byte `at` of `s` in another case.
std::string mapped(std::string_view s, size_t at, char32_t c, Case how) {
  if (c < 0x80) {
    bool is_up = how == Case::kUpper || how == Case::kTitle;
    if (is_up && c >= 'a' && c <= 'z') c -= 'a' - 'A';
    if (!is_up && c >= 'A' && c <= 'Z') c += 'a' - 'A';
    return std::string(1, static_cast<char>(c));
  }
  switch (how) {
    case Case::kUpper:
      return to_upper(c);
    case Case::kTitle:
      return to_title(c);
    case Case::kFold:
      return to_folded(c);
    default:
      return to_lower(s, at);
  }
}

// Where `needle` begins in `s`, from byte `from` on. Linear also for a long needle such as "aaa…b": memmem is, string_view::find is not.
size_t first_of(std::string_view s, std::string_view needle, size_t from) {
  constexpr size_t kShort = 16;
  if (needle.size() <= kShort) return s.find(needle, from);
  const void* found = memmem(s.data() + from, s.size() - from, needle.data(), needle.size());
  return found ? static_cast<size_t>(static_cast<const char*>(found) - s.data()) : std::string_view::npos;
}

}  // namespace

Value substring(Runtime& runtime, const Value& string, ByteRange range) {
  if (range.first == 0 && range.second == string.text().size()) return string;
  TextBuilder builder(runtime.budget);
  builder.append(string.text(), range);
  return Value::string(builder.finish());
}

ByteRange strip(Runtime& runtime, const Text& text, const Text* chars, Side side) {
  runtime.budget.work(chars ? chars->size() : 0);
  std::set<char32_t> set = chars ? code_points(*chars) : std::set<char32_t>();
  auto is_stripped = [&](char32_t c) { return chars ? set.contains(c) : is_space(c); };
  std::string_view s = text.view();
  size_t begin = 0, end = s.size();
  if (side != Side::kRight) {
    for (size_t at = 0; at < end && is_stripped(decode(s, at));) begin = at;
  }
  if (side != Side::kLeft) {
    for (size_t at = end; at > begin && is_stripped(decode_before(s, at));) end = at;
  }
  runtime.budget.work(s.size() - (end - begin));
  return {begin, end};
}

std::vector<ByteRange> split(Runtime& runtime, const Text& text, const Text* separator, int64_t max_splits, bool from_right) {
  if (separator) return split_at(runtime, text, *separator, max_splits, from_right);
  runtime.budget.work(text.size());
  std::vector<ByteRange> words = from_right ? split_words_from_right(text, max_splits) : split_words(text, max_splits);
  runtime.budget.step(words.size());
  return words;
}

std::vector<ByteRange> split_lines(Runtime& runtime, const Text& text, bool keep_ends) {
  runtime.budget.work(text.size());
  std::vector<ByteRange> lines;
  std::string_view s = text.view();
  size_t begin = 0;
  for (size_t at = 0; at < s.size();) {
    size_t end = at;
    char32_t c = decode(s, at);
    if (!is_line_break(c)) continue;
    if (c == '\r' && at < s.size() && s[at] == '\n') ++at;
    lines.emplace_back(begin, keep_ends ? at : end);
    begin = at;
  }
  if (begin < s.size()) lines.emplace_back(begin, s.size());
  runtime.budget.step(lines.size());
  return lines;
}

std::optional<size_t> find(Runtime& runtime, const Text& text, const Text& needle, ByteRange range, bool is_last) {
  if (range.first > range.second || range.second - range.first < needle.size()) return std::nullopt;
  if (needle.size() == 0) return is_last ? range.second : range.first;
  const char* base = text.bytes().data();
  if (!is_last) {
    size_t at = first_of(text.view().substr(0, range.second), needle.view(), range.first);
    runtime.budget.work(std::min(at, range.second) - range.first);
    return at == std::string_view::npos ? std::nullopt : std::optional(at);
  }
  for (size_t at = range.second - needle.size() + 1; at-- > range.first;) {
    runtime.budget.work(needle.size());
    if (std::memcmp(base + at, needle.bytes().data(), needle.size()) == 0) return at;
  }
  return std::nullopt;
}

Value replace(Runtime& runtime, const Text& text, const Text& old, const Text& replacement, int64_t max_count) {
  TextBuilder builder(runtime.budget);
  size_t done = 0;
  if (old.size() == 0) {  // before every character and at the end
    for (int64_t count = 0; max_count < 0 || count < max_count; ++count) {
      runtime.budget.step();
      builder.append(replacement);
      if (done == text.size()) return Value::string(builder.finish());
      size_t next = skip_code_points(text.view(), done, 1);
      builder.append(text, done, next);
      done = next;
    }
  } else {
    for (int64_t count = 0; max_count < 0 || count < max_count; ++count) {
      auto found = find(runtime, text, old, {done, text.size()});
      if (!found) break;
      builder.append(text, done, *found);
      builder.append(replacement);
      done = *found + old.size();
    }
  }
  builder.append(text, done, text.size());
  return Value::string(builder.finish());
}

Value join(Runtime& runtime, const Text& separator, const Items& strings) {
  TextBuilder builder(runtime.budget);
  for (size_t i = 0; i < strings.size(); ++i) {
    runtime.budget.step();
    if (i > 0) builder.append(separator);
    append_str(runtime, builder, strings[i]);
  }
  return Value::string(builder.finish());
}

Value change_case(Runtime& runtime, const Text& text, Case to) {
  TextBuilder builder(runtime.budget);
  std::string_view s = text.view();
  bool after_cased = false;  // str.title() begins a word after anything that has no case
  for (size_t at = 0; at < s.size();) {
    size_t begin = at;
    char32_t c = decode(s, at);
    Case how = to;
    if (to == Case::kCapitalize) how = begin == 0 ? Case::kTitle : Case::kLower;
    if (to == Case::kTitle) how = after_cased ? Case::kLower : Case::kTitle;
    if (to == Case::kSwap) how = is_upper(c) ? Case::kLower : Case::kUpper;
    after_cased = is_cased(c);
    builder.append(mapped(s, begin, c, how), text.origin_at(begin));
  }
  runtime.budget.work(8 * s.size());  // a table look-up each
  return Value::string(builder.finish());
}

Value pad(Runtime& runtime, const Text& text, int64_t left, int64_t right, const Text& fill) {
  if (fill.length() != 1) throw TemplateError("the fill character must be exactly one character long");
  if (left > static_cast<int64_t>(kMaxText) || right > static_cast<int64_t>(kMaxText)) {
    throw TemplateError("a padded text grows over 16 MiB", StatusCode::kOutOfRange);
  }
  TextBuilder builder(runtime.budget);
  for (; left > 0; --left) builder.append(fill);
  builder.append(text);
  for (; right > 0; --right) builder.append(fill);
  return Value::string(builder.finish());
}

}  // namespace atelier::tokenize::jinja
