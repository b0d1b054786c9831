#include "atelier/tokenize/trainers/seed_pieces.h"

#include <algorithm>

#include "atelier/parallel/parallel.h"
#include "atelier/text/unicode.h"
#include "atelier/text/utf8.h"

namespace atelier::tokenize {
namespace {

constexpr char32_t kSpaceMark = U'▁';
constexpr size_t kKeyCharacters = 4;

// A substring, by one of its places.
struct Substring {
  uint32_t begin;  // in the text
  uint32_t length;
  uint64_t score;
};

class SuffixArray {
 public:
  SuffixArray(const std::vector<CountedWord>& words, const std::vector<std::pair<char32_t, uint64_t>>& characters, size_t max_length)
      : characters_(characters), max_length_(max_length) {
    scripts_.push_back(text::kAnyScript);
    for (const auto& [c, count] : characters) scripts_.push_back(text::script_of_piece(c));
    for (const CountedWord& word : words) append(word);
  }

  // The substrings of 2 to max_length characters that occur more than once, in ascending order of their text.
  std::vector<Substring> find_substrings() const {
    std::vector<std::vector<uint32_t>> buckets(characters_.size() + 1);  // by first character: places
    for (uint32_t place = 0; place < text_.size(); ++place) buckets[text_[place]].push_back(place);
    std::vector<std::vector<Substring>> found(buckets.size());
    parallel_for_each(static_cast<int64_t>(buckets.size()), [&](int64_t bucket, int) {
      const auto i = static_cast<size_t>(bucket);
      walk(sort_suffixes(buckets[i]), found[i]);
    });
    std::vector<Substring> all;
    for (const std::vector<Substring>& part : found) all.insert(all.end(), part.begin(), part.end());
    return all;
  }

  std::string spell(const Substring& substring) const {
    std::string out;
    for (uint32_t i = 0; i < substring.length; ++i) text::append_utf8(out, characters_[text_[substring.begin + i] - 1u].first);
    return out;
  }

 private:
  struct Suffix {
    uint64_t key;  // its first characters, so that most comparisons need not look at the text
    uint32_t begin;
  };

  void append(const CountedWord& word) {
    const std::vector<char32_t> code_points = text::to_code_points(word.word);
    for (size_t i = 0; i < code_points.size(); ++i) {
      const auto at = std::lower_bound(characters_.begin(), characters_.end(), code_points[i],
                                       [](const auto& entry, char32_t c) { return entry.first < c; });
      text_.push_back(static_cast<uint16_t>(at - characters_.begin() + 1));
      lengths_.push_back(static_cast<uint16_t>(std::min(code_points.size() - i, max_length_ + 1)));
      counts_.push_back(word.count);
    }
  }

  std::vector<Suffix> sort_suffixes(const std::vector<uint32_t>& places) const {
    std::vector<Suffix> suffixes;
    suffixes.reserve(places.size());
    for (const uint32_t place : places) {
      uint64_t key = 0;
      for (size_t i = 0; i < kKeyCharacters; ++i) key = key << 16 | (i < lengths_[place] ? text_[place + i] : 0u);
      suffixes.push_back({key, place});
    }
    std::sort(suffixes.begin(), suffixes.end(), [this](const Suffix& a, const Suffix& b) {
      if (a.key != b.key) return a.key < b.key;
      const size_t same = common_length(a.begin, b.begin);
      const bool a_ends = same == lengths_[a.begin], b_ends = same == lengths_[b.begin];
      if (a_ends || b_ends) return a_ends != b_ends ? a_ends : a.begin < b.begin;
      return text_[a.begin + same] < text_[b.begin + same];
    });
    return suffixes;
  }

  size_t common_length(uint32_t a, uint32_t b) const {
    const size_t end = std::min(lengths_[a], lengths_[b]);
    size_t same = 0;
    while (same < end && text_[a + same] == text_[b + same]) ++same;
    return same;
  }

  // Visits the nodes of the suffix tree bottom up: a node is closed when the next suffix shares less than its depth.
  void walk(const std::vector<Suffix>& suffixes, std::vector<Substring>& out) const {
    struct Node {
      size_t depth;
      uint64_t count_before;  // of the suffixes in front of its first
    };
    std::vector<Node> open = {{0, 0}};
    uint64_t count = 0;  // of the suffixes so far
    for (size_t i = 0; i < suffixes.size(); ++i) {
      const uint32_t begin = suffixes[i].begin;
      if (lengths_[begin] > open.back().depth) open.push_back({lengths_[begin], count});
      count += counts_[begin];
      const size_t shared = i + 1 < suffixes.size() ? common_length(begin, suffixes[i + 1].begin) : 0;
      uint64_t count_before = count;
      while (open.back().depth > shared) {
        count_before = open.back().count_before;
        add(begin, open.back().depth, count - count_before, out);
        open.pop_back();
      }
      if (open.back().depth < shared) open.push_back({shared, count_before});
    }
  }

  void add(uint32_t begin, size_t length, uint64_t count, std::vector<Substring>& out) const {
    if (length < 2 || length > max_length_ || count < 2 || !is_piece(begin, length)) return;
    out.push_back({begin, static_cast<uint32_t>(length), count * length});
  }

  bool is_piece(uint32_t begin, size_t length) const {
    int32_t script = text::kAnyScript;
    for (size_t i = 0; i < length; ++i) {
      const uint16_t c = text_[begin + i];
      if (characters_[c - 1u].first == kSpaceMark) {
        if (i > 0) return false;
        continue;
      }
      if (script != text::kAnyScript && scripts_[c] != text::kAnyScript && scripts_[c] != script) return false;
      script = scripts_[c];
    }
    return true;
  }

  const std::vector<std::pair<char32_t, uint64_t>>& characters_;
  size_t max_length_;
  std::vector<int32_t> scripts_;   // by number of a character
  std::vector<uint16_t> text_;     // all words, one after the other; characters numbered from 1
  std::vector<uint16_t> lengths_;  // by place: how far its suffix reaches, to its word's end and one character past the longest piece
  std::vector<uint64_t> counts_;   // by place: of its word
};

}  // namespace

std::vector<SeedPiece> find_seed_pieces(const std::vector<CountedWord>& words, const std::vector<std::pair<char32_t, uint64_t>>& characters,
                                        size_t max_pieces, size_t max_length) {
  const SuffixArray suffixes(words, characters, max_length);
  std::vector<Substring> substrings = suffixes.find_substrings();
  std::stable_sort(substrings.begin(), substrings.end(), [](const Substring& a, const Substring& b) { return a.score > b.score; });
  substrings.resize(std::min(substrings.size(), max_pieces));
  std::vector<SeedPiece> pieces;
  pieces.reserve(characters.size() + substrings.size());
  for (const auto& [c, count] : characters) pieces.push_back({text::to_utf8(c), count});
  for (const Substring& substring : substrings) pieces.push_back({suffixes.spell(substring), substring.score});
  return pieces;
}

}  // namespace atelier::tokenize
