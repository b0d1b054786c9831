// Beam search: the likeliest texts instead of the likeliest tokens.
//
// Several beams are written at once; each step goes on with the likeliest of all their continuations (Graves 2012, arXiv:1211.3711;
// Sutskever et al. 2014, arXiv:1409.3215). Which beams go on, when they count as finished and when the search ends is what
// `generate(num_beams=...)` of transformers 5 does; a finished beam's score is its log-probability / length^length_penalty (or GNMT's
// form of it), its end token counted in both. Tokens that the rules forbid are left out, and a forced one adds nothing to the
// log-probability.
//
// The search knows no model: whoever runs it hands in logits of all beams and gives each new beam the keys and values of its parent.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/generate/request.h"

namespace atelier::generate {

class BeamSearch {
 public:
  // A beam that is being written.
  struct Running {
    std::vector<int32_t> tokens;  // of the answer
    double logprob = 0;           // of all of them
    size_t parent = 0;            // the beam of the step before that it continues
  };
  struct Finished {
    std::vector<int32_t> tokens;  // an end token included
    double score = 0;
    bool has_end_token = false;
  };

  // `max_tokens` of an answer, at least 1. The rules look at `prompt` too.
  BeamSearch(const BeamOptions& options, std::vector<int32_t> stop_ids, int64_t max_tokens, TokenRules rules = {},
             std::span<const int32_t> prompt = {});

  std::span<const Running> running() const { return running_; }  // one beam without tokens before the first step
  bool has_ended() const { return has_ended_; }
  // The finished beams, the best first: `num_beams` once the search has ended, fewer where the vocabulary is smaller.
  std::span<const Finished> finished() const { return finished_; }

  // Continues every beam. logits [running().size(), V]. Errors: logits that are no numbers.
  Status step(std::span<const float> logits);

 private:
  struct Continuation {
    size_t beam;
    int32_t token;
    double logprob;
    bool ends;
  };
  Result<std::vector<Continuation>> likeliest_continuations(std::span<const float> logits) const;
  Result<std::vector<Continuation>> continuations_of(size_t beam, std::span<const float> logits, size_t count) const;
  std::vector<float> allowed_logits(size_t beam, std::span<const float> logits) const;
  double score(double logprob, int64_t length) const;
  bool is_full() const { return static_cast<int64_t>(finished_.size()) == options_.num_beams; }
  void finish(std::span<const Continuation> continuations);
  void go_on(std::span<const Continuation> continuations);
  bool can_improve() const;

  BeamOptions options_;
  std::vector<int32_t> stop_ids_;
  int64_t max_tokens_;
  TokenRules rules_;
  std::vector<int32_t> prompt_;
  std::vector<Running> running_;
  std::vector<Finished> finished_;
  bool has_ended_ = false;
};

}  // namespace atelier::generate
