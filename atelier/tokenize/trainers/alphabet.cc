#include "atelier/tokenize/trainers/alphabet.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "atelier/text/utf8.h"
#include "atelier/tokenize/byte_level.h"

namespace atelier::tokenize {

std::vector<std::pair<char32_t, uint64_t>> count_characters(const WordCounts& counts) {
  std::vector<uint64_t> frequent(0x800);  // characters of one and two bytes
  std::map<char32_t, uint64_t> others;
  for (const CountedWord& word : counts.words()) {
    for (size_t i = 0, length = 0; i < word.word.size(); i += length) {
      const char32_t c = text::decode_utf8(word.word, i, length);
      (c < frequent.size() ? frequent[c] : others[c]) += word.count;
    }
  }
  std::vector<std::pair<char32_t, uint64_t>> characters;
  for (size_t c = 0; c < frequent.size(); ++c) {
    if (frequent[c] > 0) characters.emplace_back(static_cast<char32_t>(c), frequent[c]);
  }
  characters.insert(characters.end(), others.begin(), others.end());
  return characters;
}

std::vector<std::string> initial_tokens(const WordCounts& counts, const TrainerOptions& options) {
  const std::vector<std::pair<char32_t, uint64_t>> occurring = count_characters(counts);
  std::map<char32_t, uint64_t> characters(occurring.begin(), occurring.end());
  for (const char32_t c : text::to_code_points(options.initial_alphabet)) characters[c] = std::numeric_limits<uint64_t>::max();
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
