// Strings and their ids, both ways. Ids may have gaps; a string has one id, an id one string.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/tokenize/hash.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::tokenize {

class Vocabulary {
 public:
  Vocabulary() = default;
  Vocabulary(Vocabulary&&) = default;
  Vocabulary& operator=(Vocabulary&&) = default;

  // A string that is there already keeps its first id for look-ups unless `replaces`; the new id still spells it.
  void add(std::string token, TokenId id, bool replaces = false);

  std::optional<TokenId> find(std::string_view token) const {
    const Slot* slot = slots_.empty() ? nullptr : &slots_[find_slot(token, hash_bytes(token))];
    return slot == nullptr || slot->is_free() ? std::nullopt : std::optional<TokenId>(slot->id);
  }
  bool contains_id(TokenId id) const { return id >= 0 && static_cast<size_t>(id) < tokens_.size() && tokens_[static_cast<size_t>(id)]; }
  const std::string* token(TokenId id) const { return contains_id(id) ? tokens_[static_cast<size_t>(id)] : nullptr; }

  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }      // largest id + 1
  int64_t num_tokens() const { return static_cast<int64_t>(num_strings_); }  // distinct strings

  // Refuses ids so far beyond the number of entries that the tables would be mostly holes.
  static Status check_id(int64_t id, size_t num_entries, const std::string& name);

 private:
  // Open addressing: a quarter to a half of the slots are taken, neighbours follow each other.
  struct Slot {
    const std::string* token = nullptr;
    uint32_t hash = 0;
    TokenId id = 0;
    bool is_free() const { return token == nullptr; }
  };
  // The slot that holds `token`, or the free one where it would go.
  size_t find_slot(std::string_view token, uint64_t hash) const {
    const size_t mask = slots_.size() - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
      const Slot& slot = slots_[i];
      if (slot.is_free() || (slot.hash == static_cast<uint32_t>(hash >> 32) && *slot.token == token)) return i;
    }
  }
  void grow();

  std::deque<std::string> storage_;  // stable addresses for what points into it
  std::vector<const std::string*> tokens_;
  std::vector<Slot> slots_;  // a power of two
  size_t num_strings_ = 0;
};

}  // namespace atelier::tokenize
