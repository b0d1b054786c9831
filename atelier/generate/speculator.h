// Speculative decoding: tokens proposed for an answer before the model has been asked.
//
// The model runs the proposals behind the last token in one forward pass; a proposal counts only if it equals the token that the answer
// chooses at that position from the model's own logits, with the random number of that position. So speculation changes how
// many passes an answer needs and never what it says (docs/adr/0009-engine.md).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/generate/answer.h"
#include "atelier/models/model.h"

namespace atelier::generate {

class Speculator {
 public:
  struct Task {
    uint64_t id;  // of the sequence
    Answer* answer;
    int64_t max_tokens;           // to propose, at least 1
    std::vector<int32_t> tokens;  // out: the proposals, perhaps none
  };

  virtual ~Speculator() = default;
  virtual Status propose(std::span<Task> tasks) = 0;
  virtual void forget(uint64_t id) { (void)id; }  // the sequence has ended
};

// Prompt lookup: the tokens that followed the latest earlier occurrence of the last tokens (Saxena 2023, "Prompt Lookup Decoding"). Costs
// next to nothing; pays where answers repeat their prompt: summaries, code, quotations.
std::unique_ptr<Speculator> lookup_speculator();
std::vector<int32_t> look_up(std::span<const int32_t> tokens, int64_t max_tokens);

// A smaller model with the same vocabulary, run ahead for all sequences together (Leviathan et al. 2023, arXiv:2211.17192). It draws
// with the samplers and the random numbers of the answer, so that it agrees with the model as often as their distributions do.
// InvalidArgument when the vocabularies differ. Both models must outlive the speculator.
Result<std::unique_ptr<Speculator>> draft_speculator(const models::Model& model, models::Model& draft, int64_t max_sequences,
                                                     int64_t context);

}  // namespace atelier::generate
