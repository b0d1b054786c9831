#include "atelier/tokenize/word_table.h"

#include <algorithm>
#include <cstring>

namespace atelier::tokenize {
namespace {
constexpr size_t kFirstSlots = size_t{1} << 12;
constexpr size_t kBlockBytes = size_t{1} << 16;
}  // namespace

void WordTable::add_hashed(std::string_view word, uint64_t hash, uint64_t count) {
  if (2 * num_words_ >= slots_.size()) grow();
  const size_t mask = slots_.size() - 1;
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    Slot& slot = slots_[i];
    if (slot.word == nullptr) {
      slot = {store(word), hash, count, static_cast<uint32_t>(word.size())};
      ++num_words_;
      return;
    }
    if (slot.hash == hash && std::string_view(slot.word, slot.size) == word) {
      slot.count += count;
      return;
    }
  }
}

void WordTable::grow() {
  std::vector<Slot> old(std::max(kFirstSlots, 2 * slots_.size()));
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.word == nullptr) continue;
    size_t i = slot.hash & mask;
    while (slots_[i].word != nullptr) i = (i + 1) & mask;
    slots_[i] = slot;
  }
}

const char* WordTable::store(std::string_view word) {
  if (word.size() > free_bytes_) {
    free_bytes_ = std::max(kBlockBytes, word.size());
    arena_bytes_ += free_bytes_;
    free_begin_ = arena_.emplace_back(std::make_unique_for_overwrite<char[]>(free_bytes_)).get();
  }
  char* const at = free_begin_;
  std::memcpy(at, word.data(), word.size());
  free_begin_ += word.size();
  free_bytes_ -= word.size();
  return at;
}

void WordTable::clear() { *this = WordTable(); }

}  // namespace atelier::tokenize
