// The tokens that may come next, with their logits: what the samplers edit and narrow.
//
// Invariants: every token occurs at most once; while is_dense(), items()[id].id == id for the whole vocabulary. Order means
// descending logit, ties by ascending id, so that it never depends on how it was reached. Sorting is partial and lazy: a vocabulary of
// 262,144 is never sorted as a whole unless a sampler really keeps that much of it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "atelier/base/function_ref.h"

namespace atelier::generate {

struct Candidate {
  int32_t id;
  float logit;
};

// True when `a` is likelier than `b`: the order of this file.
inline bool is_likelier(const Candidate& a, const Candidate& b) { return a.logit > b.logit || (a.logit == b.logit && a.id < b.id); }

// The likeliest of logits [V] without a list of candidates; of those whose bit in `allowed` (bit id % 64 of word id / 64) is set, unless it
// is empty. -1 when none has a logit above -infinity.
int32_t likeliest_token(std::span<const float> logits, std::span<const uint64_t> allowed = {});

class Candidates {
 public:
  // Every token of the vocabulary: logits [V], finite or -infinity.
  void assign(std::span<const float> logits);
  // Those alone whose bit in `allowed` is set.
  void assign_allowed(std::span<const float> logits, std::span<const uint64_t> allowed);

  bool is_dense() const { return is_dense_; }
  size_t size() const { return items_.size(); }
  std::span<const Candidate> items() const { return items_; }

  float& logit(int32_t id);  // dense only; ids outside the vocabulary are a broken invariant
  // Dense only: the logits of tokens whose bit in `allowed` is clear become -infinity.
  void forbid_others(std::span<const uint64_t> allowed);
  void divide(float divisor);  // every logit by a positive number

  // The `count` likeliest (all of them when there are fewer) at the front of items(), in order.
  std::span<const Candidate> sort_prefix(size_t count);
  float max_logit();

  void keep_prefix(size_t count);                               // after sort_prefix(count)
  void keep_if(FunctionRef<bool(const Candidate&)> predicate);  // keeps the relative order

  // sum over items of exp(logit - max_logit())
  double exp_sum();

 private:
  std::vector<Candidate> items_;
  size_t num_sorted_ = 0;  // items_[0, num_sorted_) are the likeliest, in order
  bool is_dense_ = false;
};

}  // namespace atelier::generate
