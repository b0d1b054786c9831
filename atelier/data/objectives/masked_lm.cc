// Masked language modelling, with masks drawn each time a piece of text is seen.
#include "atelier/data/masking.h"

namespace atelier::data {
namespace {

Example make(const ObjectiveTokens& vocabulary, std::span<const int32_t> tokens, uint64_t seed, uint64_t sample) {
  return mask_tokens(vocabulary, tokens, /*whole_words=*/false, seed, sample);
}

}  // namespace

extern const ObjectiveDef objective_masked_lm;
const ObjectiveDef objective_masked_lm = {"masked_lm", "15 % of the tokens, hidden anew each time a text comes",
                                          "Devlin et al. 2018, arXiv:1810.04805, 3.1; drawn anew as Liu et al. 2019, arXiv:1907.11692",
                                          true, make};

}  // namespace atelier::data
