#include "atelier/tokenize/vocabulary.h"

#include <algorithm>

namespace atelier::tokenize {

void Vocabulary::add(std::string token, TokenId id, bool replaces) {
  const std::string& stored = storage_.emplace_back(std::move(token));
  const auto index = static_cast<size_t>(id);
  if (index >= tokens_.size()) tokens_.resize(index + 1);
  tokens_[index] = &stored;
  if (2 * (num_strings_ + 1) > slots_.size()) grow();
  const uint64_t hash = hash_bytes(stored);
  Slot& slot = slots_[find_slot(stored, hash)];
  if (slot.is_free()) {
    slot = {&stored, static_cast<uint32_t>(hash >> 32), id};
    ++num_strings_;
  } else if (replaces) {
    slot.id = id;
  }
}

void Vocabulary::grow() {
  std::vector<Slot> before(std::max<size_t>(16, 2 * slots_.size()));
  before.swap(slots_);
  for (const Slot& slot : before) {
    if (!slot.is_free()) slots_[find_slot(*slot.token, hash_bytes(*slot.token))] = slot;
  }
}

Status Vocabulary::check_id(int64_t id, size_t num_entries, const std::string& name) {
  constexpr int64_t kAllowedGap = 1'000'000;
  const int64_t limit = static_cast<int64_t>(num_entries) + kAllowedGap;
  if (id >= 0 && id < limit) return {};
  return Status::corrupt(name + ": token id " + std::to_string(id) + " is outside 0 … " + std::to_string(limit - 1) + " for " +
                         std::to_string(num_entries) + " tokens");
}

}  // namespace atelier::tokenize
