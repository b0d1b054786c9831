// Properties of code points, from ICU 72: Unicode 15.0, the one Unicode version of this library.
//
// Names say whose definition is meant: the reference tokenizers are written in Rust and lean on Unicode's derived properties.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::text {

bool is_white_space(char32_t c);                   // White_Space; Rust's char::is_whitespace
bool is_numeric(char32_t c);                       // categories Nd, Nl, No; Rust's char::is_numeric
bool is_punctuation(char32_t c);                   // categories P*
bool is_ascii_or_unicode_punctuation(char32_t c);  // P*, and the ASCII symbols $+<=>^`|~ beside them
bool is_mark(char32_t c);                          // categories Mn, Mc, Me
bool is_nonspacing_mark(char32_t c);               // category Mn
bool is_other(char32_t c);                         // categories Cc, Cf, Cn, Co, Cs
bool is_word(char32_t c);                          // \w of UTS 18: Alphabetic, M, Nd, Pc, Join_Control

// Full lower-case mapping of one character without context, as Rust's char::to_lowercase: U+0130 gives two code points.
void append_lower(std::u32string& out, char32_t c);

// The script of `c`, as a number that is the same for the same script; Hiragana, Katakana and U+30FC count as Han, as in
// SentencePiece's rule for where a piece may run on. kAnyScript: a space, or a code point without a script.
inline constexpr int32_t kAnyScript = -1;
int32_t script_of_piece(char32_t c);

// Byte positions of the borders of extended grapheme clusters (UAX 29) of valid UTF-8, from 0 to text.size().
std::vector<size_t> grapheme_borders(std::string_view valid_text);

std::string unicode_version();  // "15.0"

}  // namespace atelier::text
