// Code points as Python's str sees them: classes, case and positions in valid UTF-8. The tables are ICU's.
//
// text/unicode.h has the classes as the reference tokenizers (Rust) see them: they share names, not members.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace atelier::tokenize::jinja {

size_t skip_code_points(std::string_view s, size_t from, size_t count);  // byte position, at most s.size()
char32_t decode(std::string_view s, size_t& at);                         // the code point at byte `at`; moves `at` behind it
char32_t decode_before(std::string_view s, size_t& at);                  // the one that ends at byte `at`; moves `at` to its start

bool is_space(char32_t c);  // str.isspace(), and \s
bool is_word(char32_t c);   // \w
bool is_identifier(std::string_view name);
bool is_line_break(char32_t c);  // str.splitlines()
bool is_printable(char32_t c);   // str.isprintable()
bool is_alpha(char32_t c);
bool is_decimal(char32_t c);
bool is_digit(char32_t c);
bool is_numeric(char32_t c);
bool is_cased(char32_t c);
bool is_upper(char32_t c);
bool is_lower(char32_t c);

// Full mappings: one code point may become several.
std::string to_upper(char32_t c);
std::string to_title(char32_t c);
std::string to_folded(char32_t c);
// `at` is the byte where the code point begins in `s`: capital sigma looks at its neighbours.
std::string to_lower(std::string_view s, size_t at);

char32_t code_point_named(const std::string& name);  // U+FFFF when there is no such name

}  // namespace atelier::tokenize::jinja
