// Byte-level text: each of the 256 bytes written as one printable character, so that a vocabulary of strings can hold any bytes.
//
// The 188 printable bytes of Latin-1 stand for themselves, the other 68 are U+0100 … U+0143 in byte order (Radford et al. 2019,
// GPT-2's encoder.py): a space is "Ġ", a newline "Ċ".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace atelier::tokenize {

// The character of `byte`, in UTF-8.
std::string_view byte_to_character(unsigned char byte);

// The bytes that `token` spells, or nothing if one of its characters stands for no byte.
std::optional<std::string> decode_byte_level(std::string_view token);

// `bytes` written in byte-level characters.
std::string encode_byte_level(std::string_view bytes);

}  // namespace atelier::tokenize
