#include "atelier/generate/beam_search.h"

#include <algorithm>
#include <cmath>

#include "atelier/generate/logprobs.h"
#include "atelier/parallel/parallel.h"

namespace atelier::generate {

BeamSearch::BeamSearch(const BeamOptions& options, std::vector<int32_t> stop_ids, int64_t max_tokens)
    : options_(options), stop_ids_(std::move(stop_ids)), max_tokens_(max_tokens), running_(1) {}

// The best of all beams together, so many that enough of them go on whichever end tokens are among them.
Result<std::vector<BeamSearch::Continuation>> BeamSearch::likeliest_continuations(std::span<const float> logits) const {
  const size_t vocabulary = logits.size() / running_.size();
  const size_t count = std::max<size_t>(2, 1 + stop_ids_.size()) * static_cast<size_t>(options_.num_beams);
  const bool is_last = static_cast<int64_t>(running_[0].tokens.size()) + 1 == max_tokens_;
  std::vector<Result<std::vector<Continuation>>> of_beam(running_.size(), std::vector<Continuation>());
  const auto continue_beam = [&](size_t beam) -> Result<std::vector<Continuation>> {
    const auto row = logits.subspan(beam * vocabulary, vocabulary);
    ATELIER_TRY(const double normaliser, log_normaliser(row));
    std::vector<Continuation> continuations;
    for (const Candidate& token : likeliest(row, count)) {
      const bool ends = is_last || std::count(stop_ids_.begin(), stop_ids_.end(), token.id) > 0;
      continuations.push_back({beam, token.id, running_[beam].logprob + token.logit - normaliser, ends});
    }
    return continuations;
  };
  parallel_for(static_cast<int64_t>(running_.size()), 1, [&](int64_t begin, int64_t end, int) {
    for (auto beam = static_cast<size_t>(begin); beam < static_cast<size_t>(end); ++beam) of_beam[beam] = continue_beam(beam);
  });
  std::vector<Continuation> all;
  for (Result<std::vector<Continuation>>& continuations : of_beam) {
    if (!continuations.ok()) return continuations.status();
    all.insert(all.end(), continuations->begin(), continuations->end());
  }
  std::stable_sort(all.begin(), all.end(), [](const Continuation& a, const Continuation& b) { return a.logprob > b.logprob; });
  all.resize(std::min(all.size(), count));
  return all;
}

// Only the best `num_beams` continuations may finish: what ranks below them was looked at for the beams that go on.
void BeamSearch::finish(std::span<const Continuation> continuations) {
  if (is_full() && options_.early_stopping == EarlyStopping::kYes) return;
  const auto length = static_cast<double>(running_[0].tokens.size() + 1);
  for (const Continuation& continuation : continuations.first(std::min(continuations.size(), static_cast<size_t>(options_.num_beams)))) {
    if (!continuation.ends) continue;
    Finished beam{running_[continuation.beam].tokens, continuation.logprob / std::pow(length, options_.length_penalty)};
    beam.tokens.push_back(continuation.token);
    beam.has_end_token = std::count(stop_ids_.begin(), stop_ids_.end(), continuation.token) > 0;
    finished_.push_back(std::move(beam));
  }
  std::stable_sort(finished_.begin(), finished_.end(), [](const Finished& a, const Finished& b) { return a.score > b.score; });
  if (static_cast<int64_t>(finished_.size()) > options_.num_beams) finished_.resize(static_cast<size_t>(options_.num_beams));
}

void BeamSearch::go_on(std::span<const Continuation> continuations) {
  std::vector<Running> next;
  for (const Continuation& continuation : continuations) {
    if (continuation.ends || static_cast<int64_t>(next.size()) == options_.num_beams) continue;
    next.push_back({running_[continuation.beam].tokens, continuation.logprob, continuation.beam});
    next.back().tokens.push_back(continuation.token);
  }
  running_ = std::move(next);
}

// Whether the best beam could still pass the worst finished one, at its length of now or at the greatest (transformers' rules, which
// with a length penalty are a guess).
bool BeamSearch::can_improve() const {
  if (!is_full()) return true;
  const bool grows = options_.early_stopping == EarlyStopping::kNever && options_.length_penalty > 0;
  const auto length = static_cast<double>(grows ? max_tokens_ : static_cast<int64_t>(running_[0].tokens.size()));
  return running_[0].logprob / std::pow(length, options_.length_penalty) > finished_.back().score;
}

Status BeamSearch::step(std::span<const float> logits) {
  ATELIER_TRY(const std::vector<Continuation> continuations, likeliest_continuations(logits));
  finish(continuations);
  go_on(continuations);
  has_ended_ = running_.empty() || (is_full() && options_.early_stopping == EarlyStopping::kYes) || !can_improve();
  return {};
}

}  // namespace atelier::generate
