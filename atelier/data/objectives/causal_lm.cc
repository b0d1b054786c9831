// The next token: what decoders learn. Rows of text carry these labels as they are.
#include "atelier/data/objective.h"

namespace atelier::data {
extern const ObjectiveDef objective_causal_lm;
const ObjectiveDef objective_causal_lm = {"causal_lm", "every token from those before it",
                                          "Radford et al. 2018, Improving Language Understanding, 3.1", false, nullptr};

}  // namespace atelier::data
