#include "atelier/tokenize/charsmap.h"

#include <cstring>

#include "atelier/text/utf8.h"

namespace atelier::tokenize {
namespace {

// The fields of a unit of the double array (S. Yata's darts-clone).
bool has_leaf(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t value_of(uint32_t unit) { return unit & 0x7FFFFFFF; }
uint32_t label_of(uint32_t unit) { return unit & (0x80000000u | 0xFF); }
uint32_t offset_of(uint32_t unit) { return unit >> 10 << ((unit & (1u << 9)) >> 6); }

}  // namespace

Result<CharsMap> CharsMap::parse(std::string_view bytes, const std::string& name) {
  uint32_t trie_bytes = 0;
  if (bytes.size() < sizeof trie_bytes)
    return Status::corrupt(name + ": the precompiled charsmap has " + std::to_string(bytes.size()) + " bytes");
  std::memcpy(&trie_bytes, bytes.data(), sizeof trie_bytes);
  bytes.remove_prefix(sizeof trie_bytes);
  if (trie_bytes > bytes.size() || trie_bytes % sizeof(uint32_t) != 0 || trie_bytes == 0) {
    return Status::corrupt(name + ": the precompiled charsmap's trie has " + std::to_string(trie_bytes) + " bytes of " +
                           std::to_string(bytes.size()));
  }
  CharsMap map;
  map.units_.resize(trie_bytes / sizeof(uint32_t));
  std::memcpy(map.units_.data(), bytes.data(), trie_bytes);
  map.strings_ = bytes.substr(trie_bytes);
  if (!text::is_valid_utf8(map.strings_)) return Status::corrupt(name + ": the precompiled charsmap's strings are not UTF-8");
  return map;
}

std::optional<CharsMap::Match> CharsMap::find(std::string_view text, bool stop_at_first) const {
  std::optional<Match> found;
  size_t node = offset_of(units_[0]);
  for (size_t i = 0; i < text.size() && text[i] != '\0'; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    node ^= byte;
    if (node >= units_.size() || label_of(units_[node]) != byte) break;
    const uint32_t unit = units_[node];
    node ^= offset_of(unit);
    if (!has_leaf(unit)) continue;
    const size_t at = node < units_.size() ? value_of(units_[node]) : strings_.size();
    if (at >= strings_.size() || text::is_continuation(strings_[at])) break;
    found = Match{i + 1, std::string_view(strings_.c_str() + at)};
    if (stop_at_first) break;
  }
  return found;
}

}  // namespace atelier::tokenize
