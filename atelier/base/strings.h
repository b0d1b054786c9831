// Small helpers on byte strings. Nothing here knows about Unicode: see text/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atelier {

bool equals_ignoring_case(std::string_view a, std::string_view b);  // ASCII letters only
std::string to_lower_ascii(std::string_view s);
std::vector<std::string_view> split(std::string_view s, char separator);  // "a,,b" has three parts; "" has one
std::string_view trim_ascii(std::string_view s);                          // without leading and trailing white space
std::string join(const std::vector<std::string>& parts, std::string_view separator);
bool replace_all(std::string& s, std::string_view from, std::string_view to);  // true when something was replaced

// The whole of `s` as a number, or nothing: no white space, no trailing characters.
std::optional<int64_t> parse_int(std::string_view s);
std::optional<double> parse_double(std::string_view s);

// `s` in double quotes for an error line: control characters escaped, invalid bytes as \xNN, cut after `limit` bytes with "…".
std::string quoted(std::string_view s, size_t limit = 80);

// The entry of `choices` nearest to `word` by edit distance, for "did you mean"; empty when none is near.
std::string nearest_name(std::string_view word, const std::vector<std::string>& choices);

// 1536 -> "1.5 KiB"
std::string human_bytes(uint64_t bytes);
// "512M", "4G", "1.5 GiB", "4096" -> bytes; K, M, G and T are powers of 1024. Nothing for what is no size, or past 2^62.
std::optional<uint64_t> parse_bytes(std::string_view s);

}  // namespace atelier
