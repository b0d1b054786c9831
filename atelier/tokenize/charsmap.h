// SentencePiece's precompiled character map: which strings of the input become which others ("ﬁ" -> "fi").
//
//   u32 size of the trie in bytes, the trie as u32 units (a double array in darts-clone's layout), then NUL-terminated strings;
//   the trie's values are byte offsets into the strings. All little-endian.
//
// Every index that the trie yields is checked when it is used: a broken trie finds nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/status.h"

namespace atelier::tokenize {

class CharsMap {
 public:
  static Result<CharsMap> parse(std::string_view bytes, const std::string& name);

  struct Match {
    size_t length;                 // bytes of the text
    std::string_view replacement;  // valid UTF-8
  };
  // The shortest and the longest entry that `text` begins with.
  std::optional<Match> shortest_prefix(std::string_view text) const { return find(text, true); }
  std::optional<Match> longest_prefix(std::string_view text) const { return find(text, false); }

 private:
  std::optional<Match> find(std::string_view text, bool stop_at_first) const;

  std::vector<uint32_t> units_;
  std::string strings_;
};

}  // namespace atelier::tokenize
