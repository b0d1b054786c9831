// The decoder that a TransformerSpec describes: its parameters and its forward pass.
//
// Parameters are tensors as the checkpoint stores them (mapped, any weight type), reached by a logical name that is the same for
// every architecture and layout, e.g. "layers.3.attention.q.weight"; models/ says how a checkpoint spells them.
//
// Rows of several sequences run together: a RowRun says which rows belong to which cache. A row's result does not depend on the
// others (docs/adr/0005).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "atelier/base/function_ref.h"
#include "atelier/nn/kv_cache.h"
#include "atelier/nn/rope.h"
#include "atelier/nn/spec.h"
#include "atelier/ops/context.h"

namespace atelier::nn {

struct LinearLayer {
  Tensor weight;  // [N, K]
  Tensor bias;    // [N] F32, or empty
};

struct NormLayer {
  Tensor weight;  // [C] F32
  Tensor bias;    // [C] F32, or empty
};

struct AttentionLayer {
  LinearLayer q, k, v, o;    // [H * D, C], [G * D, C], [G * D, C], [C, H * D]
  NormLayer q_norm, k_norm;  // [D], with qk-norm
};

struct MlpLayer {
  LinearLayer gate, up, down;  // [F, C] (gated only), [F, C], [C, F]
};

struct DecoderLayer {
  NormLayer attention_norm, attention_post_norm;  // which of them exist: NormPlacement
  AttentionLayer attention;
  NormLayer mlp_norm, mlp_post_norm;
  MlpLayer mlp;
};

struct DecoderParameters {
  Tensor embedding;           // [V, C]
  Tensor position_embedding;  // [P, C], learned positions only
  NormLayer embedding_norm, final_norm;
  std::vector<DecoderLayer> layers;
  Tensor head;  // [V, C]; a view of `embedding` when tied
};

// A parameter's logical name and shape, as the spec implies them.
struct ParameterInfo {
  std::string name;  // "layers.0.mlp.down.weight"
  Shape shape;
};

// Calls visit(info, tensor) for every parameter of the spec in a fixed order (a tied head is left out).
void visit_parameters(const TransformerSpec& spec, DecoderParameters& parameters, FunctionRef<void(const ParameterInfo&, Tensor&)> visit);

// Consecutive rows of the input that continue one sequence.
struct RowRun {
  KvCache* cache;
  int64_t num_rows;
};

class Decoder {
 public:
  // planned_context decides the frequencies of length-dependent rotary scalings.
  Decoder(TransformerSpec spec, DecoderParameters parameters, int64_t planned_context);

  const TransformerSpec& spec() const { return spec_; }
  const DecoderParameters& parameters() const { return parameters_; }

  // Hidden states [T, C] after the final norm of ids [T], laid out run after run; stores keys and values and advances the caches.
  // The caller has checked that ids are in [0, V) and that each cache can reserve() its rows.
  Tensor forward(Context& context, std::span<const int32_t> ids, std::span<const RowRun> runs);

  // Logits [T, V] of hidden states [T, C].
  Tensor logits(Context& context, const Tensor& hidden) const;

 private:
  struct Rows;  // positions and runs of one forward
  Tensor normalise(Context& context, const NormLayer& norm, const Tensor& x) const;
  Tensor embed(Context& context, std::span<const int32_t> ids, const Rows& rows) const;
  Tensor attend(Context& context, const Tensor& x, int64_t layer, const Rows& rows);
  Tensor mlp(Context& context, const Tensor& x, const MlpLayer& layer) const;
  void block(Context& context, Tensor& x, int64_t layer, const Rows& rows);

  TransformerSpec spec_;
  DecoderParameters parameters_;
  std::vector<RopeTable> ropes_;
  std::vector<float> alibi_slopes_;  // [H]
};

}  // namespace atelier::nn
