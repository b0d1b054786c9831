// Masked language modelling whose masks hide whole words.
#include "atelier/data/masking.h"

namespace atelier::data {
namespace {

Example make(const ObjectiveTokens& vocabulary, std::span<const int32_t> tokens, uint64_t seed, uint64_t sample) {
  return mask_tokens(vocabulary, tokens, /*whole_words=*/true, seed, sample);
}

}  // namespace

extern const ObjectiveDef objective_whole_word_masked_lm;
const ObjectiveDef objective_whole_word_masked_lm = {"whole_word_masked_lm", "the same, all pieces of a word together",
                                                     "google-research/bert, May 2019 (do_whole_word_mask)", true, make};

}  // namespace atelier::data
