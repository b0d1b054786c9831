// Words and how often each was seen: a hash table for counting, whose memory is known.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "atelier/tokenize/hash.h"

namespace atelier::tokenize {

struct CountedWord {
  std::string_view word;
  uint64_t count = 0;
};

class WordTable {
 public:
  // `word` is not empty.
  void add(std::string_view word, uint64_t count) { add_hashed(word, hash_bytes(word), count); }
  void add_hashed(std::string_view word, uint64_t hash, uint64_t count);

  // Calls visit(word, hash, count), in no particular order.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const Slot& slot : slots_) {
      if (slot.word != nullptr) visit(std::string_view(slot.word, slot.size), slot.hash, slot.count);
    }
  }

  size_t size() const { return num_words_; }
  size_t memory_bytes() const { return slots_.size() * sizeof(Slot) + arena_bytes_; }
  void clear();

 private:
  // Open addressing; a quarter to a half of the slots are taken.
  struct Slot {
    const char* word = nullptr;  // in the arena; null: free
    uint64_t hash = 0, count = 0;
    uint32_t size = 0;
  };
  void grow();
  const char* store(std::string_view word);

  std::vector<Slot> slots_;  // a power of two
  size_t num_words_ = 0;
  std::vector<std::unique_ptr<char[]>> arena_;
  size_t arena_bytes_ = 0;
  char* free_begin_ = nullptr;  // of the last block
  size_t free_bytes_ = 0;
};

}  // namespace atelier::tokenize
