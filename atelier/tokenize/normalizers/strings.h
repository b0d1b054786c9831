// Normalizers that look at more than one character: Replace, Prepend, Strip, Precompiled, ByteLevel, and SentencePiece's white space.
#pragma once

#include <string>
#include <vector>

#include "atelier/text/regex.h"
#include "atelier/tokenize/charsmap.h"
#include "atelier/tokenize/normalizer.h"

namespace atelier::tokenize {

std::unique_ptr<Normalizer> replace_normalizer(std::string from, std::string to);
std::unique_ptr<Normalizer> replace_regex_normalizer(text::Regex from, std::string to);
std::unique_ptr<Normalizer> prepend_normalizer(std::string prefix);  // before text that is not empty
std::unique_ptr<Normalizer> strip_normalizer(bool left, bool right);
std::unique_ptr<Normalizer> byte_level_normalizer();

// How a precompiled charsmap is applied.
enum class CharsMapReading {
  kHuggingFace,    // a grapheme cluster of up to five bytes becomes what its shortest prefix becomes, else character by character
  kSentencePiece,  // the longest entry at every position
};
// `kept`: texts that stay as they are wherever they stand, the longest first: SentencePiece's user-defined pieces. Not for kHuggingFace.
std::unique_ptr<Normalizer> precompiled_normalizer(CharsMap map, CharsMapReading reading, const std::vector<std::string>& kept = {});

// Takes every `suffix` off the end.
std::unique_ptr<Normalizer> strip_suffix_normalizer(std::string suffix);

// Runs of spaces become one, none at either end.
std::unique_ptr<Normalizer> collapse_spaces_normalizer();

}  // namespace atelier::tokenize
