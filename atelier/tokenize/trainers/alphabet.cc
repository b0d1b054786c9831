#include "atelier/tokenize/trainers/alphabet.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "atelier/text/utf8.h"
#include "atelier/tokenize/byte_level.h"

namespace atelier::tokenize {
namespace {

std::map<char32_t, uint64_t> count_characters(const WordCounts& counts, const std::string& initial_alphabet) {
  std::map<char32_t, uint64_t> characters;
  std::vector<uint64_t> frequent(0x800);  // the characters of one and two bytes
  for (const CountedWord& word : counts.words()) {
    for (size_t i = 0, length = 0; i < word.word.size(); i += length) {
      const char32_t c = text::decode_utf8(word.word, i, length);
      (c < frequent.size() ? frequent[c] : characters[c]) += word.count;
    }
  }
  for (size_t c = 0; c < frequent.size(); ++c) {
    if (frequent[c] > 0) characters[static_cast<char32_t>(c)] = frequent[c];
  }
  for (const char32_t c : text::to_code_points(initial_alphabet)) characters[c] = std::numeric_limits<uint64_t>::max();
  return characters;
}

}  // namespace

std::vector<std::string> initial_tokens(const WordCounts& counts, const TrainerOptions& options) {
  const std::map<char32_t, uint64_t> characters = count_characters(counts, options.initial_alphabet);
  std::vector<std::pair<char32_t, uint64_t>> kept(characters.begin(), characters.end());
  if (options.limit_alphabet && kept.size() > static_cast<size_t>(*options.limit_alphabet)) {
    std::stable_sort(kept.begin(), kept.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    kept.resize(static_cast<size_t>(*options.limit_alphabet));
    std::sort(kept.begin(), kept.end());
  }
  std::vector<std::string> tokens = *options.special_tokens;
  const std::set<std::string> special(tokens.begin(), tokens.end());
  for (const auto& [c, count] : kept) {
    std::string spelled = text::to_utf8(c);
    if (!special.contains(spelled)) tokens.push_back(std::move(spelled));
  }
  return tokens;
}

std::string byte_level_alphabet() {
  std::string alphabet;
  for (int byte = 0; byte < 256; ++byte) alphabet += byte_to_character(static_cast<unsigned char>(byte));
  return alphabet;
}

}  // namespace atelier::tokenize
