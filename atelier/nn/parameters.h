// The parameters that a TransformerSpec implies.
//
// They are tensors as the checkpoint stores them (mapped, any weight type), reached by a logical name that is the same for every
// architecture and layout, e.g. "layers.3.attention.q.weight"; models/ says how a checkpoint spells them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "atelier/base/function_ref.h"
#include "atelier/nn/spec.h"
#include "atelier/tensor/tensor.h"

namespace atelier::nn {

enum class Projection : uint8_t { kQ, kK, kV, kO, kGate, kUp, kDown };
// Their logical names below "layers.N.", in the order of Projection.
inline constexpr std::array<const char*, 7> kProjectionNames = {"attention.q", "attention.k", "attention.v", "attention.o",
                                                                "mlp.gate",    "mlp.up",      "mlp.down"};

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

struct TransformerBlock {
  NormLayer attention_norm, attention_post_norm;  // which of them exist: NormPlacement
  AttentionLayer attention;
  NormLayer mlp_norm, mlp_post_norm;
  MlpLayer mlp;
};

// The linear layers of a block, in the order of Projection; those that a spec lacks have no weight.
inline std::array<const LinearLayer*, kProjectionNames.size()> projections_of(const TransformerBlock& layer) {
  const auto& [q, k, v, o, q_norm, k_norm] = layer.attention;
  return {&q, &k, &v, &o, &layer.mlp.gate, &layer.mlp.up, &layer.mlp.down};
}
inline std::array<LinearLayer*, kProjectionNames.size()> projections_of(TransformerBlock& layer) {
  auto& [q, k, v, o, q_norm, k_norm] = layer.attention;
  return {&q, &k, &v, &o, &layer.mlp.gate, &layer.mlp.up, &layer.mlp.down};
}

// What stands between hidden states and the language head.
struct HeadTransform {
  LinearLayer dense;  // [C, C]
  NormLayer norm;
};

// A head for a task (nn/heads.h).
struct TaskHead {
  LinearLayer dense;   // [C, C], or none
  LinearLayer output;  // [N, C]
};

struct TransformerParameters {
  Tensor embedding;           // [V, C]
  Tensor position_embedding;  // [P, C], learned positions only
  Tensor segment_embedding;   // [A, C], where the spec has segments
  NormLayer embedding_norm, final_norm;
  std::vector<TransformerBlock> layers;
  LinearLayer pooler;  // [C, C]
  HeadTransform head_transform;
  LinearLayer head;  // [V, C]; the weight is a view of `embedding` when tied
  TaskHead task;
};

// A parameter's logical name and shape, as the spec implies them.
struct ParameterInfo {
  std::string name;  // "layers.0.mlp.down.weight"
  Shape shape;
};

// Calls visit(info, tensor) for every parameter of the spec in a fixed order (a tied head is left out).
void visit_parameters(const TransformerSpec& spec, TransformerParameters& parameters,
                      FunctionRef<void(const ParameterInfo&, Tensor&)> visit);

// Whether products read the parameter; tables are only looked up in.
bool is_multiplied(const TransformerSpec& spec, const ParameterInfo& info);

}  // namespace atelier::nn
