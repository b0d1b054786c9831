// What the model gave for the words of a moment ago: a table of fixed size, a cache line per word (docs/adr/0010).
//
// A model is a function of its piece alone, so what it gave once it gives again; nothing is ever stale. Every word has two places.
// A new word takes the second, a word that is found in the second changes places with the first: what is asked for often stays,
// what comes once is soon replaced. Memory is bounded by the table, which costs memory only where it is used.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>

#include "atelier/tokenize/aligned_text.h"
#include "atelier/tokenize/model.h"

namespace atelier::tokenize {

class WordCache {
 public:
  static constexpr size_t kMaxBytes = 31;  // longer words are not kept
  static constexpr size_t kMaxTokens = 5;  // nor words of more tokens

  // The bytes of a word and zeros; its length in the last byte. All zeros: no word.
  using Key = std::array<uint64_t, 4>;
  // The key of `range` of `text`, 1 to kMaxBytes bytes.
  static Key key_of(std::string_view text, Span range);

  struct alignas(64) Entry {
    Key key;
    std::array<TokenId, kMaxTokens> ids;
    std::array<uint8_t, kMaxTokens> begins, ends;  // bytes of the word
    uint8_t num_tokens;
  };

  WordCache();

  void prefetch(const Key& key) const {
    const Entry* places = &entries_[2 * set_of(key)];
    __builtin_prefetch(&places[0]);
    __builtin_prefetch(&places[1]);
  }
  // Null when the word is not there. Valid until the next call.
  const Entry* find(const Key& key) {
    Entry* places = &entries_[2 * set_of(key)];
    if (is_same(places[0].key, key)) return &places[0];
    if (!is_same(places[1].key, key)) return nullptr;
    std::swap(places[0], places[1]);
    return &places[0];
  }
  // `tokens` of a word that find() did not find; left out when they are too many.
  void insert(const Key& key, std::span<const ModelToken> tokens);

 private:
  static constexpr int kSetBits = 15;  // 4 MiB
  static constexpr size_t kNumEntries = size_t{2} << kSetBits;

  // Without a branch; a library's comparison would call memcmp.
  static bool is_same(const Key& a, const Key& b) { return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3])) == 0; }
  static size_t set_of(const Key& key) {
    const uint64_t sum =
        key[0] * 0x9E3779B97F4A7C15u + key[1] * 0xC2B2AE3D27D4EB4Fu + key[2] * 0x165667B19E3779F9u + key[3] * 0xD6E8FEB86659FD93u;
    return ((sum ^ (sum >> 32)) * 0x9E3779B97F4A7C15u) >> (64 - kSetBits);
  }

  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  std::unique_ptr<void, Free> memory_;
  Entry* entries_;  // in memory_
};

// The caches of one tokenizer: a thread that encodes takes one out and puts it back, the same one each time as long as no other
// thread shares its place. Nothing waits; at most kPlaces caches are kept.
class WordCaches {
 public:
  ~WordCaches();

  class Lease {
   public:
    explicit Lease(WordCaches& caches);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    WordCache& operator*() const { return *cache_; }

   private:
    std::atomic<WordCache*>& place_;
    std::unique_ptr<WordCache> cache_;
  };

 private:
  static constexpr size_t kPlaces = 64;
  std::array<std::atomic<WordCache*>, kPlaces> places_{};
};

}  // namespace atelier::tokenize
