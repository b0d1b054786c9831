// Answers that a grammar allows: which tokens may come next.
//
//   auto vocabulary = std::make_shared<const TokenBytes>(tokenizer);                      // once a model
//   ATELIER_TRY(auto constraint, Constraint::compile(parse_gbnf(text), vocabulary));      // once a grammar, shared by its requests
//   request.options.mask = constraint->mask(stop_ids);                                    // once a request
//
// A token may come if some text of the grammar begins with the answer and the token's bytes; characters may be split over tokens. The
// answer may end (one of the stop ids) where the grammar may. What was worked out for one request serves the others.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "atelier/generate/grammar/automaton.h"
#include "atelier/generate/request.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::generate {

// The bytes that each ordinary token adds to a text, in byte order, so that tokens with a common beginning are neighbours.
class TokenBytes {
 public:
  // Special tokens that are `shown` stand for their spelling, the others may never come.
  explicit TokenBytes(const tokenize::Tokenizer& tokenizer, std::span<const int32_t> shown = {});
  explicit TokenBytes(std::vector<std::string> bytes_by_id);  // empty: the token may never come

  struct Entry {
    std::string bytes;
    int32_t id;
    size_t common;  // bytes in common with the entry before
  };
  const std::vector<Entry>& entries() const { return entries_; }
  const std::string& of(int32_t id) const { return by_id_[static_cast<size_t>(id)]; }
  size_t size() const { return by_id_.size(); }
  size_t longest() const { return longest_; }

 private:
  std::vector<std::string> by_id_;
  std::vector<Entry> entries_;
  size_t longest_ = 0;
};

class Constraint : public std::enable_shared_from_this<Constraint> {
 public:
  static Result<std::shared_ptr<Constraint>> compile(const Result<std::vector<GrammarRule>>& rules,
                                                     std::shared_ptr<const TokenBytes> vocabulary);

  // For one request; of any thread. It keeps the constraint alive. `begun` are bytes of the grammar's text that stand already.
  TokenMask mask(std::vector<int32_t> stop_ids, const std::string& begun = "");

  // Whether some text of the grammar begins with these bytes.
  bool accepts_beginning(std::string_view bytes);

  const TokenBytes& vocabulary() const { return *vocabulary_; }

 private:
  using State = GrammarAutomaton::StateId;
  class Follower;
  Constraint(Grammar grammar, std::shared_ptr<const TokenBytes> vocabulary)
      : automaton_(std::move(grammar)), vocabulary_(std::move(vocabulary)) {}

  Result<State> advance(State state, int32_t id);
  Status allow(State state, std::span<const int32_t> stop_ids, std::span<uint64_t> allowed);
  Result<const std::vector<uint64_t>*> tokens_from(State state);

  static constexpr size_t kMaxSets = 4'096;  // kept at once

  std::mutex mutex_;
  GrammarAutomaton automaton_;
  std::shared_ptr<const TokenBytes> vocabulary_;
  std::unordered_map<State, std::vector<uint64_t>> sets_;  // a bit for each token that may follow
};

}  // namespace atelier::generate
