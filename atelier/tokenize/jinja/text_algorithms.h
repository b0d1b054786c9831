// The string algorithms of Python's str, on texts with origins. Shared by string methods and filters.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "atelier/tokenize/jinja/runtime.h"

namespace atelier::tokenize::jinja {

using ByteRange = std::pair<size_t, size_t>;  // [first, second)

enum class Side { kLeft = 1, kRight = 2, kBoth = 3 };
enum class Case { kUpper, kLower, kTitle, kCapitalize, kFold, kSwap };

Value substring(Runtime& runtime, const Value& string, ByteRange range);

// Without the characters of `chars` (white space when null) at the chosen ends.
ByteRange strip(Runtime& runtime, const Text& text, const Text* chars, Side side);

// Parts between separators (runs of white space when null), at most `max_splits` cuts from the chosen side (all when negative).
std::vector<ByteRange> split(Runtime& runtime, const Text& text, const Text* separator, int64_t max_splits, bool from_right);
std::vector<ByteRange> split_lines(Runtime& runtime, const Text& text, bool keep_ends);

// Byte position of the first (or last) `needle` inside `range`.
std::optional<size_t> find(Runtime& runtime, const Text& text, const Text& needle, ByteRange range, bool is_last = false);

Value replace(Runtime& runtime, const Text& text, const Text& old, const Text& replacement, int64_t max_count);
Value join(Runtime& runtime, const Text& separator, const Items& strings);
Value change_case(Runtime& runtime, const Text& text, Case to);

// `text` between `left` and `right` copies of the one-character text `fill`.
Value pad(Runtime& runtime, const Text& text, int64_t left, int64_t right, const Text& fill);

}  // namespace atelier::tokenize::jinja
