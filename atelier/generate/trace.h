// What happens inside a model as it reads a text: attention weights, the residual stream, and the logit lens. Recomputed in float32 in
// a pass of its own, which shares the weights with generation and nothing else.
//
//   ATELIER_TRY(Trace trace, generate::trace(*model, {.ids = ids, .has_lens = true, .positions = {4}}));
//
// Layers of attention are numbered 0 .. L - 1. States of the residual stream are numbered 0 .. L as transformers' hidden_states: state 0 is
// the embedding, state l what block l - 1 left, state L has passed the final norm. The lens reads every state as if it were the last:
// through the final norm and the head (nostalgebraist 2020, "interpreting GPT: the logit lens").
#pragma once

#include <cstdint>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/generate/logprobs.h"
#include "atelier/models/model.h"

namespace atelier::generate {

struct TraceRequest {
  std::vector<int32_t> ids;
  bool has_attention = false;
  bool has_residual = false;
  bool has_lens = false;
  // Empty: all. Layers name states too; layer L is a state only.
  std::vector<int64_t> layers, heads, positions;
  int num_top = 5;                        // tokens that the lens shows for a state and position
  int64_t max_bytes = int64_t{16} << 20;  // of values; a request for more is refused and told what to narrow
};

struct Trace {
  std::vector<int32_t> ids;                               // [T]
  std::vector<int64_t> layers, states, heads, positions;  // what was asked for
  std::vector<float> attention;                           // [layers, heads, positions, T]; a row sums to 1
  std::vector<float> residual;                            // [states, positions, C]
  std::vector<TokenReport> lens;                          // [states, positions]; `id` is the token that follows in the text, -1 behind it
};

// Errors: no ids or more than the context holds; a layer, head or position that is not there; more than max_bytes.
Result<Trace> trace(models::Model& model, const TraceRequest& request);

// {"ids", "tokens", "positions", "attention": {"layers", "heads", "values"}, "residual": {"states", "values"}, "lens": {"states",
// "values"}}: the parts that were asked for; tokens by id and, with a tokenizer, text.
Json to_json(const Trace& trace, const tokenize::Tokenizer* tokenizer);

}  // namespace atelier::generate
