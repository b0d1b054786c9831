// One value formatted by a specification: what the replacement fields of str.format and the conversions of "%" have in common.
//
// The grammar is Python's format specification mini-language, [[fill]align][sign][#][0][width][grouping][.precision][type].
#pragma once

#include <optional>
#include <string>

#include "atelier/tokenize/jinja/runtime.h"

namespace atelier::tokenize::jinja {

struct FormatSpec {
  std::string fill = " ";
  char align = 0;  // '<', '>', '^', '='; 0 is '<' for text and '>' for numbers
  char sign = '-';
  bool is_alternate = false;
  int64_t width = 0;
  char grouping = 0;
  std::optional<int> precision;
  char type = 0;
};

FormatSpec parse_format_spec(std::string_view text);
void append_formatted(Runtime& runtime, TextBuilder& out, const Value& value, const FormatSpec& spec);

// A width or precision read from digits at `at`; moves `at` behind them. Refuses what would write over 16 MiB.
std::optional<int64_t> parse_digits(std::string_view text, size_t& at);

}  // namespace atelier::tokenize::jinja
