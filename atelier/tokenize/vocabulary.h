// Strings and their ids, both ways. Ids may have gaps; a string has one id, an id one string.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "atelier/base/status.h"
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
    const auto it = ids_.find(token);
    return it == ids_.end() ? std::nullopt : std::optional<TokenId>(it->second);
  }
  bool contains_id(TokenId id) const { return id >= 0 && static_cast<size_t>(id) < tokens_.size() && tokens_[static_cast<size_t>(id)]; }
  const std::string* token(TokenId id) const { return contains_id(id) ? tokens_[static_cast<size_t>(id)] : nullptr; }

  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }     // largest id + 1
  int64_t num_tokens() const { return static_cast<int64_t>(ids_.size()); }  // distinct strings

  // Refuses ids so far beyond the number of entries that the tables would be mostly holes.
  static Status check_id(int64_t id, size_t num_entries, const std::string& name);

 private:
  std::deque<std::string> storage_;  // stable addresses for the views below
  std::vector<const std::string*> tokens_;
  std::unordered_map<std::string_view, TokenId> ids_;
};

}  // namespace atelier::tokenize
