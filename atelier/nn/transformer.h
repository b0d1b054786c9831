// The transformer that a TransformerSpec describes: its forward pass over its parameters.
//
// Rows of several sequences run together: a RowRun says which rows belong to which cache. A row's result does not depend on the
// others (docs/adr/0005).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "atelier/base/function_ref.h"
#include "atelier/kernels/gradients.h"
#include "atelier/nn/adapter.h"
#include "atelier/nn/kv_cache.h"
#include "atelier/nn/parameters.h"
#include "atelier/nn/probe.h"
#include "atelier/nn/rope.h"
#include "atelier/nn/spec.h"
#include "atelier/ops/linear.h"

namespace atelier::nn {

// Consecutive rows of the input that continue one sequence.
struct RowRun {
  KvCache* cache;  // null: a whole document, its positions from 0; keys and values are forgotten. All runs of a call or none
  int64_t num_rows;
  uint64_t sample = 0;                            // the document's number, for dropout
  std::span<const AppliedAdapter> adapters = {};  // not with a tape
  std::span<const int32_t> segments = {};         // of each row, below the spec's num_segments; none: all 0. They live until the walk
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

  // Hidden states [T, C] after the final norm of ids [T], laid out run after run; stores keys and values and advances the caches.
  // The caller has checked that ids are in [0, V), or V + i for virtual token i of the run's adapters, and that each cache can reserve()
  // its rows. With a tape, `ids` and this transformer live until the walk, and the next forward() comes after it. A probe sees a single run
  // without a cache.
  Tensor forward(Context& context, std::span<const int32_t> ids, std::span<const RowRun> runs, const TrainingForward& training = {},
                 Probe* probe = nullptr);

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
    std::vector<kernels::DocumentRows> documents;  // of runs without a cache
    TrainingForward training;
    Probe* probe = nullptr;
    bool has_adapters = false;
  };
  void set_rows(std::span<const RowRun> runs, const TrainingForward& training);
  ops::DropoutRows dropout_rows(float p, int64_t layer, uint32_t place) const;
  Tensor normalise(Context& context, const NormLayer& norm, const Tensor& x) const;
  Tensor embed(Context& context) const;
  ops::LinearInput normed(const NormLayer& norm, const Tensor& x) const;
  ops::LinearInput input_for(Context& context, ops::LinearInput input) const;
  bool adds_products(const Context& context) const;
  Tensor project(Context& context, const ops::LinearInput& x, int64_t layer, Projection projection, const ops::DropoutRows& dropped,
                 Tensor* residual) const;
  Tensor attend(Context& context, const ops::LinearInput& input, int64_t layer, Tensor* residual);
  Tensor attend_keys(Context& context, const kernels::AttentionShape& shape, int64_t layer, const Tensor& q, const Tensor& k,
                     const Tensor& v);
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
  void adapt_norm(FunctionRef<const NormLayer*(const TransformerParameters&)> norm_of, Tensor& y) const;
  void squeeze(Context& context, int64_t layer, bool is_mlp, const Tensor& x, Tensor& y) const;

  TransformerSpec spec_;
  TransformerParameters parameters_;
  std::vector<RopeTable> ropes_;
  std::vector<float> alibi_slopes_;  // [H]
  Rows rows_;
};

}  // namespace atelier::nn
