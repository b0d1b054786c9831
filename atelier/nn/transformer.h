// The transformer that a TransformerSpec describes: its parameters and its forward pass.
//
// Parameters are tensors as the checkpoint stores them (mapped, any weight type), reached by a logical name that is the same for
// every architecture and layout, e.g. "layers.3.attention.q.weight"; models/ says how a checkpoint spells them.
//
// Rows of several sequences run together: a RowRun says which rows belong to which cache. A row's result does not depend on the
// others (docs/adr/0005).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "atelier/base/function_ref.h"
#include "atelier/kernels/gradients.h"
#include "atelier/nn/adapter.h"
#include "atelier/nn/kv_cache.h"
#include "atelier/nn/probe.h"
#include "atelier/nn/rope.h"
#include "atelier/nn/spec.h"
#include "atelier/ops/linear.h"

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

struct TransformerBlock {
  NormLayer attention_norm, attention_post_norm;  // which of them exist: NormPlacement
  AttentionLayer attention;
  NormLayer cross_norm;  // with an encoder
  AttentionLayer cross_attention;
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
  Tensor relative_bias;       // [num_buckets, H], relative positions only; of all layers
  NormLayer embedding_norm, final_norm;
  std::vector<TransformerBlock> layers;
  std::vector<TransformerParameters> encoder;  // as the spec's; its `embedding` is a view of the decoder's unless it has its own
  LinearLayer pooler;                          // [C, C]
  HeadTransform head_transform;
  LinearLayer head;  // [V, C]; the weight is a view of `embedding` when tied
  TaskHead task;
};

// A parameter's logical name and shape, as the spec implies them.
struct ParameterInfo {
  std::string name;  // "layers.0.mlp.down.weight"
  Shape shape;
};

// Calls visit(info, tensor) for every parameter of the spec in a fixed order (a tied head and a shared embedding are left out). Those of an
// encoder are called "encoder.layers.0.mlp.down.weight".
void visit_parameters(const TransformerSpec& spec, TransformerParameters& parameters,
                      FunctionRef<void(const ParameterInfo&, Tensor&)> visit);

// Whether products read the parameter; tables are only looked up in.
bool is_multiplied(const TransformerSpec& spec, const ParameterInfo& info);

// Consecutive rows of the input that continue one sequence.
struct RowRun {
  KvCache* cache;  // null: a whole document, its positions from 0; keys and values are forgotten. All runs of a call or none
  int64_t num_rows;
  uint64_t sample = 0;                            // the document's number, for dropout
  std::span<const AppliedAdapter> adapters = {};  // not with a tape
  std::span<const int32_t> segments = {};         // of each row, below the spec's num_segments; none: all 0. They live until the walk
  // What rows of a decoder with an encoder attend to: a cache of store_sources(), for runs with a cache; or as many rows of the states that
  // are handed to forward(), document after document.
  const KvCache* source = nullptr;
  int64_t num_source_rows = 0;
};

// A source that an encoder has read: its rows of the states, and where its keys and values go.
struct SourceRun {
  KvCache* cache;  // empty, with room for them
  int64_t num_rows;
};

// How a forward pass that is learned from differs from one that is not.
struct TrainingForward {
  float dropout = 0;           // of embeddings and of what each sublayer adds to the residual
  float low_rank_dropout = 0;  // of what low-rank additions read
  uint64_t seed = 0;
  uint64_t step = 0;
  const Adapter* adapter = nullptr;  // that learns: of all rows, whose runs have none then
  bool has_checkpoints = false;      // the tape keeps each block's input only and computes the block again in its walk
};

class Transformer {
 public:
  // planned_context decides the frequencies of length-dependent rotary scalings.
  Transformer(TransformerSpec spec, TransformerParameters parameters, int64_t planned_context);

  const TransformerSpec& spec() const { return spec_; }
  const TransformerParameters& parameters() const { return parameters_; }

  // With an encoder: its states [S, C] of ids [S], of sources laid out one after the other. With a tape as forward(), which it precedes.
  Tensor encode(Context& context, std::span<const int32_t> ids, std::span<const RowRun> runs, const TrainingForward& training = {}) {
    return encoder_->forward(context, ids, runs, training);
  }
  // Stores what each layer attends to of such states and advances the caches: once for a source, however much is then written of it.
  void store_sources(Context& context, const Tensor& states, std::span<const SourceRun> sources) const;

  // Hidden states [T, C] after the final norm of ids [T], laid out run after run; stores keys and values and advances the caches.
  // The caller has checked that ids are in [0, V), or V + i for virtual token i of the run's adapters, and that each cache can reserve()
  // its rows. With a tape, `ids` and this transformer live until the walk, and the next forward() comes after it. A probe sees a single run
  // without a cache. `sources` [S, C] are the encoder's states for runs without a cache.
  Tensor forward(Context& context, std::span<const int32_t> ids, std::span<const RowRun> runs, const TrainingForward& training = {},
                 Probe* probe = nullptr, const Tensor& sources = {});

  // A residual stream [T, C] as the head wants it: what forward() ends with.
  Tensor finish(Context& context, const Tensor& x) const;

  // Logits [T, V] of hidden states [T, C], by the language head or another matrix in its place.
  Tensor logits(Context& context, const Tensor& hidden) const { return logits(context, hidden, parameters_.head.weight); }
  Tensor logits(Context& context, const Tensor& hidden, const Tensor& head) const;
  // What the language head's matrix meets: hidden states [T, C], or their transform.
  Tensor head_input(Context& context, const Tensor& hidden) const;
  // The pooler's output [B, C] for each run of the last forward(), whose result `hidden` is. With a tape they live until the walk.
  Tensor pool(Context& context, const Tensor& hidden) const;
  // What the output layer of the task's head reads, [B, C] for kinds that read a text, else [T, C]; and its logits, [B, N] or [T, N].
  Tensor task_input(Context& context, const Tensor& hidden) const;
  Tensor task_logits(Context& context, const Tensor& hidden) const;

 private:
  // Where each input row of the present forward pass stands in its sequence. Kept for the walk back, and so that a steady step allocates
  // nothing.
  struct Rows {
    std::vector<int32_t> position;     // [T]
    std::vector<int32_t> learned;      // [T] row of the position table, where that is not the position
    std::vector<int32_t> segment;      // [T], where the spec has segments
    std::vector<int32_t> first;        // [B] the first row of each run
    std::vector<uint64_t> sample;      // [T]
    std::span<const int32_t> tokens;   // [T] ids, 0 for virtual ones
    std::vector<int32_t> real;         // where there are virtual ones: tokens
    std::vector<int32_t> virtual_row;  // [T] which virtual token a row is, -1: none
    bool has_virtual = false;
    std::span<const RowRun> runs;
    std::vector<kernels::AttentionRun> attention_runs;
    std::vector<kernels::AttentionRun> source_runs;
    std::vector<kernels::DocumentRows> documents;         // of runs without a cache
    std::vector<kernels::DocumentRows> source_documents;  // the same over their sources
    Tensor sources;                                       // [S, C]
    Tensor relative_bias;                                 // [H, 2 * max_distance + 1]
    TrainingForward training;
    Probe* probe = nullptr;
    bool has_adapters = false;
  };
  void set_rows(std::span<const RowRun> runs, const TrainingForward& training);
  void set_sources();
  ops::DropoutRows dropout_rows(float p, int64_t layer, uint32_t place) const;
  Tensor normalise(Context& context, const NormLayer& norm, const Tensor& x) const;
  Tensor embed(Context& context) const;
  ops::LinearInput normed(const NormLayer& norm, const Tensor& x) const;
  ops::LinearInput input_for(Context& context, ops::LinearInput input) const;
  bool adds_products(const Context& context) const;
  Tensor project(Context& context, const ops::LinearInput& x, int64_t layer, Projection projection, const ops::DropoutRows& dropped,
                 Tensor* residual) const;
  kernels::AttentionShape attention_shape(int64_t window) const;
  Tensor attend(Context& context, const ops::LinearInput& input, int64_t layer, Tensor* residual);
  Tensor attend_keys(Context& context, const kernels::AttentionShape& shape, int64_t layer, const Tensor& q, const Tensor& k,
                     const Tensor& v);
  Tensor attend_source(Context& context, const ops::LinearInput& input, int64_t layer, Tensor* residual);
  Tensor mlp(Context& context, const ops::LinearInput& input, int64_t layer, Tensor* residual) const;
  void block(Context& context, Tensor& x, int64_t layer);
  void checkpointed_block(Context& context, Tensor& x, int64_t layer);

  // transformer_adapters.cc
  void set_tokens(std::span<const int32_t> ids);
  const LinearAdapter* learned(int64_t layer, Projection projection) const;
  ops::LinearArgs args_for(int64_t layer, Projection projection, Tensor* y) const;
  template <class Work>
  void for_each_adapted(const Work& work) const;
  void adapt(Context& context, const Tensor& x, int64_t layer, Projection projection, Tensor& y) const;
  ops::LinearInput adapted_input(Context& context, const ops::LinearInput& input, int64_t layer, Projection projection) const;
  void adapt_embedding(Context& context, Tensor& x) const;
  void insert_virtual(Context& context, FunctionRef<const Tensor*(const Adapter&)> table_of, Tensor& x) const;
  void squeeze(Context& context, int64_t layer, bool is_mlp, const Tensor& x, Tensor& y) const;

  TransformerSpec spec_;
  TransformerParameters parameters_;
  std::vector<RopeTable> ropes_;
  std::vector<float> alibi_slopes_;       // [H]
  std::vector<int32_t> buckets_;          // [2 * max_distance + 1] of relative positions
  Tensor sinusoids_;                      // [P, C], as many as were needed
  std::unique_ptr<Transformer> encoder_;  // of the spec's encoder
  uint32_t first_dropout_site_ = 0;       // apart from the decoder's in an encoder
  Rows rows_;
};

}  // namespace atelier::nn
