#include "atelier/tokenize/vocabulary.h"

namespace atelier::tokenize {

void Vocabulary::add(std::string token, TokenId id, bool replaces) {
  const std::string& stored = storage_.emplace_back(std::move(token));
  const auto index = static_cast<size_t>(id);
  if (index >= tokens_.size()) tokens_.resize(index + 1);
  tokens_[index] = &stored;
  const auto [it, is_new] = ids_.emplace(stored, id);
  if (!is_new && replaces) it->second = id;
}

Status Vocabulary::check_id(int64_t id, size_t num_entries, const std::string& name) {
  constexpr int64_t kAllowedGap = 1'000'000;
  const int64_t limit = static_cast<int64_t>(num_entries) + kAllowedGap;
  if (id >= 0 && id < limit) return {};
  return Status::corrupt(name + ": token id " + std::to_string(id) + " is outside 0 … " + std::to_string(limit - 1) + " for " +
                         std::to_string(num_entries) + " tokens");
}

}  // namespace atelier::tokenize
