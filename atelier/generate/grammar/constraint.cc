#include "atelier/generate/grammar/constraint.h"

#include <algorithm>

#include "atelier/generate/token_text.h"

namespace atelier::generate {
namespace {

Status too_large() { return Status::invalid("grammar: too many ways to read this answer; make it less ambiguous or less nested"); }

}  // namespace

TokenBytes::TokenBytes(const tokenize::Tokenizer& tokenizer, std::span<const int32_t> shown)
    : TokenBytes([&] {
        const TokenText text(tokenizer);
        std::vector<std::string> bytes(static_cast<size_t>(tokenizer.vocab_size()));
        for (size_t id = 0; id < bytes.size(); ++id) {
          if (!tokenizer.is_special(static_cast<int32_t>(id))) bytes[id] = text.bytes(static_cast<int32_t>(id));
        }
        for (const int32_t id : shown) bytes[static_cast<size_t>(id)] = tokenizer.id_to_token(id);
        return bytes;
      }()) {}

TokenBytes::TokenBytes(std::vector<std::string> bytes_by_id) : by_id_(std::move(bytes_by_id)) {
  for (size_t id = 0; id < by_id_.size(); ++id) {
    if (!by_id_[id].empty()) entries_.push_back({by_id_[id], static_cast<int32_t>(id), 0});
    longest_ = std::max(longest_, by_id_[id].size());
  }
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.bytes < b.bytes; });
  for (size_t i = 1; i < entries_.size(); ++i) {
    const std::string &before = entries_[i - 1].bytes, &bytes = entries_[i].bytes;
    const size_t shorter = std::min(before.size(), bytes.size());
    entries_[i].common = static_cast<size_t>(
        std::mismatch(bytes.begin(), bytes.begin() + static_cast<int64_t>(shorter), before.begin()).first - bytes.begin());
  }
}

Result<std::shared_ptr<Constraint>> Constraint::compile(const Result<std::vector<GrammarRule>>& rules,
                                                        std::shared_ptr<const TokenBytes> vocabulary) {
  if (!rules.ok()) return rules.status();
  ATELIER_TRY(Grammar grammar, Grammar::compile(*rules));
  return std::shared_ptr<Constraint>(new Constraint(std::move(grammar), std::move(vocabulary)));
}

// Where one answer stands.
class Constraint::Follower {
 public:
  Follower(std::shared_ptr<Constraint> constraint, std::vector<int32_t> stop_ids, State first)
      : constraint_(std::move(constraint)), stop_ids_(std::move(stop_ids)), first_(first), state_(first) {}

  Status operator()(std::span<const int32_t> answer, std::span<uint64_t> allowed) {
    const std::lock_guard lock(constraint_->mutex_);
    if (answer.size() < num_read_) {  // another answer
      state_ = first_;
      num_read_ = 0;
    }
    for (; num_read_ < answer.size(); ++num_read_) {
      ATELIER_TRY(state_, constraint_->advance(state_, answer[num_read_]));
    }
    return constraint_->allow(state_, stop_ids_, allowed);
  }

 private:
  std::shared_ptr<Constraint> constraint_;
  std::vector<int32_t> stop_ids_;
  State first_, state_;
  size_t num_read_ = 0;
};

TokenMask Constraint::mask(std::vector<int32_t> stop_ids, const std::string& begun) {
  State first = automaton_.start();
  {
    const std::lock_guard lock(mutex_);
    first = automaton_.step(first, begun);
  }
  if (first < 0) return [](auto, auto) { return Status::invalid("grammar: the answer left it where it began"); };
  return [follower = Follower(shared_from_this(), std::move(stop_ids), first)](
             std::span<const int32_t> answer, std::span<uint64_t> allowed) mutable { return follower(answer, allowed); };
}

bool Constraint::accepts_beginning(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  return automaton_.step(automaton_.start(), bytes) >= 0;
}

Result<Constraint::State> Constraint::advance(State state, int32_t id) {
  if (id < 0 || static_cast<size_t>(id) >= vocabulary_->size())
    return Status::invalid("grammar: token " + std::to_string(id) + " has no text");
  const State next = automaton_.step(state, vocabulary_->of(id));
  if (next == GrammarAutomaton::kTooLarge) return too_large();
  if (next == GrammarAutomaton::kDead) return Status::invalid("grammar: the answer left it with token " + std::to_string(id));
  return next;
}

Status Constraint::allow(State state, std::span<const int32_t> stop_ids, std::span<uint64_t> allowed) {
  ATELIER_TRY(const std::vector<uint64_t>* tokens, tokens_from(state));
  for (size_t i = 0; i < std::min(allowed.size(), tokens->size()); ++i) allowed[i] |= (*tokens)[i];
  const auto set = [&](int32_t id, bool is_allowed) {
    const auto word = static_cast<size_t>(id) / 64;
    if (id < 0 || word >= allowed.size()) return;
    const uint64_t bit = uint64_t{1} << (id % 64);
    allowed[word] = is_allowed ? allowed[word] | bit : allowed[word] & ~bit;
  };
  for (const int32_t id : stop_ids) set(id, automaton_.is_final(state));
  return {};
}

// Tokens in byte order: what they have in common with the one before has been read, or has left the grammar, already.
Result<const std::vector<uint64_t>*> Constraint::tokens_from(State state) {
  if (const auto found = sets_.find(state); found != sets_.end()) return &found->second;
  std::vector<uint64_t> set((vocabulary_->size() + 63) / 64);
  std::vector<State> states(vocabulary_->longest() + 1);  // behind each byte of the token
  states[0] = state;
  size_t dead = vocabulary_->longest() + 1;  // bytes of the last token after which no text of the grammar goes on
  for (const TokenBytes::Entry& entry : vocabulary_->entries()) {
    if (entry.common >= dead) continue;
    dead = vocabulary_->longest() + 1;
    for (size_t i = entry.common; i < entry.bytes.size(); ++i) {
      const State next = automaton_.step(states[i], static_cast<uint8_t>(entry.bytes[i]));
      if (next == GrammarAutomaton::kTooLarge) return too_large();
      if (next == GrammarAutomaton::kDead) {
        dead = i + 1;
        break;
      }
      states[i + 1] = next;
    }
    if (dead > entry.bytes.size()) set[static_cast<size_t>(entry.id) / 64] |= uint64_t{1} << (entry.id % 64);
  }
  if (sets_.size() == kMaxSets) sets_.clear();
  return &sets_.emplace(state, std::move(set)).first->second;
}

}  // namespace atelier::generate
