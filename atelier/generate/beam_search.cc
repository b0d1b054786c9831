#include "atelier/generate/beam_search.h"

#include <algorithm>
#include <cmath>

#include "atelier/generate/logprobs.h"
#include "atelier/parallel/parallel.h"

namespace atelier::generate {

BeamSearch::BeamSearch(const BeamOptions& options, std::vector<int32_t> stop_ids, int64_t max_tokens, TokenRules rules,
                       std::span<const int32_t> prompt)
    : options_(options),
      stop_ids_(std::move(stop_ids)),
      max_tokens_(max_tokens),
      rules_(std::move(rules)),
      prompt_(prompt.begin(), prompt.end()),
      running_(1) {}

// The logits [V] with -infinity where a rule forbids the token.
std::vector<float> BeamSearch::allowed_logits(size_t beam, std::span<const float> logits) const {
  std::vector<int32_t> tokens = prompt_;
  tokens.insert(tokens.end(), running_[beam].tokens.begin(), running_[beam].tokens.end());
  std::vector<uint64_t> allowed((logits.size() + 63) / 64, ~uint64_t{0});
  apply_rules(rules_, {tokens, std::ssize(running_[beam].tokens), max_tokens_, stop_ids_}, allowed);
  std::vector<float> out(logits.begin(), logits.end());
  for (size_t id = 0; id < out.size(); ++id) {
    if (!(allowed[id / 64] >> (id % 64) & 1)) out[id] = -INFINITY;
  }
  return out;
}

Result<std::vector<BeamSearch::Continuation>> BeamSearch::continuations_of(size_t beam, std::span<const float> logits, size_t count) const {
  ATELIER_TRY(const double normaliser, log_normaliser(logits));
  const Running& running = running_[beam];
  const RulePlace place{running.tokens, std::ssize(running.tokens), max_tokens_, stop_ids_};
  const bool is_last = std::ssize(running.tokens) + 1 == max_tokens_;
  const auto continuation = [&](int32_t id, double logprob) {
    return Continuation{beam, id, running.logprob + logprob, is_last || std::count(stop_ids_.begin(), stop_ids_.end(), id) > 0};
  };
  if (const std::optional<int32_t> forced = forced_token(rules_, place)) return std::vector{continuation(*forced, 0)};
  std::vector<Continuation> continuations;
  const std::vector<Candidate> candidates = rules_.is_empty() ? likeliest(logits, count) : likeliest(allowed_logits(beam, logits), count);
  for (const Candidate& token : candidates) {
    if (token.logit > -INFINITY || rules_.is_empty()) continuations.push_back(continuation(token.id, token.logit - normaliser));
  }
  return continuations;
}

double BeamSearch::score(double logprob, int64_t length) const {
  const auto count = static_cast<double>(length);
  return logprob / std::pow(options_.length_normal == LengthNormal::kGnmt ? (5 + count) / 6 : count, options_.length_penalty);
}

// The best of all beams together, so many that enough of them go on whichever end tokens are among them.
Result<std::vector<BeamSearch::Continuation>> BeamSearch::likeliest_continuations(std::span<const float> logits) const {
  const size_t vocabulary = logits.size() / running_.size();
  const size_t count = std::max<size_t>(2, 1 + stop_ids_.size()) * static_cast<size_t>(options_.num_beams);
  std::vector<Result<std::vector<Continuation>>> of_beam(running_.size(), std::vector<Continuation>());
  parallel_for(static_cast<int64_t>(running_.size()), 1, [&](int64_t begin, int64_t end, int) {
    for (auto beam = static_cast<size_t>(begin); beam < static_cast<size_t>(end); ++beam)
      of_beam[beam] = continuations_of(beam, logits.subspan(beam * vocabulary, vocabulary), count);
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
  const int64_t length = std::ssize(running_[0].tokens) + 1;
  for (const Continuation& continuation : continuations.first(std::min(continuations.size(), static_cast<size_t>(options_.num_beams)))) {
    if (!continuation.ends) continue;
    Finished beam{running_[continuation.beam].tokens, score(continuation.logprob, length)};
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
  const int64_t length = grows ? max_tokens_ : std::ssize(running_[0].tokens);
  return score(running_[0].logprob, length) > finished_.back().score;
}

Status BeamSearch::step(std::span<const float> logits) {
  ATELIER_TRY(const std::vector<Continuation> continuations, likeliest_continuations(logits));
  finish(continuations);
  go_on(continuations);
  has_ended_ = running_.empty() || (is_full() && options_.early_stopping == EarlyStopping::kYes) || !can_improve();
  return {};
}

}  // namespace atelier::generate
