#include "atelier/nn/transformer.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "atelier/base/error.h"
#include "atelier/nn/alibi.h"
#include "atelier/nn/positions.h"
#include "atelier/ops/attention.h"
#include "atelier/ops/dropout.h"
#include "atelier/ops/elementwise.h"
#include "atelier/ops/embedding.h"
#include "atelier/ops/norm.h"
#include "atelier/ops/relative_bias.h"

namespace atelier::nn {

namespace {

// Where a block drops values: what low-rank additions read, and what it adds to the residual. What it adds of its source is numbered apart.
enum DropoutPlace : uint32_t {
  kAttentionInput,
  kAttentionOutput,
  kMlpInput,
  kMlpHidden,
  kAttentionResidual,
  kMlpResidual,
  kNumPlaces,
  kSourceResidual = kNumPlaces
};
constexpr int64_t kEmbeddingLayer = -1;
// Beyond the places of a decoder's layers: what it adds of its source, by layer; and the places of its encoder.
constexpr uint32_t kSourceSites = 0x20000000, kEncoderSites = 0x40000000;

}  // namespace

Transformer::Transformer(TransformerSpec spec, TransformerParameters parameters, int64_t planned_context)
    : spec_(std::move(spec)), parameters_(std::move(parameters)) {
  ATELIER_CHECK(static_cast<int64_t>(parameters_.layers.size()) == spec_.num_layers());
  if (spec_.has_tied_head) parameters_.head.weight = parameters_.embedding;
  if (spec_.position == PositionKind::kRotary) {
    for (const RopeSpec& rope : spec_.ropes) ropes_.emplace_back(rope, planned_context);
  }
  if (spec_.position == PositionKind::kAlibi) alibi_slopes_ = alibi_slopes(spec_.num_heads);
  if (spec_.position == PositionKind::kRelative) {
    buckets_ = distance_buckets(spec_.num_buckets, spec_.max_distance, spec_.mask == MaskKind::kBidirectional);
  }
  if (!spec_.has_encoder()) return;
  TransformerParameters& of_encoder = parameters_.encoder.at(0);
  if (!spec_.encoder[0].has_own_embedding) of_encoder.embedding = parameters_.embedding;
  encoder_ = std::make_unique<Transformer>(spec_.encoder[0], of_encoder, planned_context);
  encoder_->first_dropout_site_ = kEncoderSites;
}

void Transformer::set_rows(std::span<const RowRun> runs, const TrainingForward& training) {
  rows_.runs = runs;
  rows_.training = training;
  rows_.position.clear();
  rows_.learned.clear();
  rows_.segment.clear();
  rows_.first.clear();
  rows_.sample.clear();
  rows_.documents.clear();
  rows_.has_adapters = false;
  int64_t end = 0;
  for (const RowRun& run : runs) {
    ATELIER_CHECK((run.cache == nullptr) == (runs[0].cache == nullptr));
    ATELIER_CHECK(spec_.mask == MaskKind::kCausal || run.cache == nullptr);
    if (run.cache != nullptr) ATELIER_CHECK(run.cache->reserve(run.num_rows));
    const int64_t first = run.cache != nullptr ? run.cache->length() : 0, row = static_cast<int64_t>(rows_.position.size());
    for (int64_t i = 0; i < run.num_rows; ++i) rows_.position.push_back(static_cast<int32_t>(first + i));
    if (run.cache == nullptr) rows_.documents.push_back({row, run.num_rows, spec_.mask == MaskKind::kBidirectional ? run.num_rows : 0});
    rows_.first.push_back(static_cast<int32_t>(row));
    if (spec_.num_segments > 0) {
      rows_.segment.insert(rows_.segment.end(), run.segments.begin(), run.segments.end());
      rows_.segment.resize(rows_.position.size(), 0);
    }
    rows_.sample.resize(rows_.position.size(), run.sample);
    rows_.has_adapters = rows_.has_adapters || !run.adapters.empty();
    end = std::max(end, first + run.num_rows);
  }
  if (spec_.position_offset > 0) {
    for (const int32_t position : rows_.position) rows_.learned.push_back(position + static_cast<int32_t>(spec_.position_offset));
  }
  for (RopeTable& rope : ropes_) rope.ensure(end);
  if (spec_.position == PositionKind::kSinusoidal && (!sinusoids_ || sinusoids_.dim(0) < end)) {
    sinusoids_ = sinusoids(std::max(end, spec_.max_context), spec_.width);
  }
  if (spec_.has_encoder()) set_sources();
}

// What each run attends to of its source.
void Transformer::set_sources() {
  rows_.source_runs.clear();
  rows_.source_documents.clear();
  int64_t row = 0, key = 0;
  for (const RowRun& run : rows_.runs) {
    if (run.cache != nullptr) {
      ATELIER_CHECK(run.source != nullptr && run.source->length() > 0);
    } else {
      ATELIER_CHECK(run.num_source_rows > 0);
      rows_.source_documents.push_back({row, run.num_rows, 0, key, run.num_source_rows});
    }
    row += run.num_rows;
    key += run.num_source_rows;
  }
}

ops::DropoutRows Transformer::dropout_rows(float p, int64_t layer, uint32_t place) const {
  const TrainingForward& training = rows_.training;
  const uint32_t site = first_dropout_site_ + static_cast<uint32_t>(layer + 1) * kNumPlaces + place;
  return {p, training.seed, training.step, site, rows_.sample, rows_.position};
}

Tensor Transformer::forward(Context& context, std::span<const int32_t> ids, std::span<const RowRun> runs, const TrainingForward& training,
                            Probe* probe, const Tensor& sources) {
  ATELIER_CHECK(probe == nullptr || (runs.size() == 1 && runs[0].cache == nullptr));
  set_rows(runs, training);
  rows_.probe = probe;
  rows_.sources = sources;
  set_tokens(ids);
  ATELIER_CHECK(rows_.position.size() == ids.size());
  Tensor x = embed(context);
  if (!buckets_.empty()) rows_.relative_bias = ops::relative_bias(context, parameters_.relative_bias, buckets_);
  const Arena::Mark mark = context.arena.mark();
  for (int64_t layer = 0; layer < spec_.num_layers(); ++layer) {
    if (probe != nullptr) probe->state(context, layer, x);
    if (context.tape != nullptr && training.has_checkpoints) {
      checkpointed_block(context, x, layer);
    } else {
      block(context, x, layer);
    }
    if (context.tape == nullptr) context.arena.rewind(mark);
  }
  for (const RowRun& run : runs) {
    if (run.cache != nullptr) run.cache->advance(run.num_rows);
  }
  const Tensor hidden = finish(context, x);
  if (probe != nullptr) probe->state(context, spec_.num_layers(), hidden);
  return hidden;
}

Tensor Transformer::finish(Context& context, const Tensor& x) const {
  Tensor hidden = spec_.has_final_norm ? normalise(context, parameters_.final_norm, x) : x;
  if (spec_.output_scale != 1) ops::scale_inplace(context, hidden, spec_.output_scale);
  return hidden;
}

void Transformer::store_sources(Context& context, const Tensor& states, std::span<const SourceRun> sources) const {
  for (const SourceRun& source : sources) {
    ATELIER_CHECK(source.cache->length() == 0);
    ATELIER_CHECK(source.cache->reserve(source.num_rows));
  }
  for (int64_t layer = 0; layer < spec_.num_layers(); ++layer) {
    const Arena::Mark mark = context.arena.mark();
    const AttentionLayer& weights = parameters_.layers[static_cast<size_t>(layer)].cross_attention;
    Tensor k, v;
    const ops::LinearArgs projections[] = {{&weights.k.weight, &weights.k.bias, &k}, {&weights.v.weight, &weights.v.bias, &v}};
    ops::linear_group(context, states, projections);
    int64_t row = 0;
    for (const SourceRun& source : sources) {
      source.cache->write(layer, k.f32() + row * k.dim(1), v.f32() + row * v.dim(1), source.num_rows);
      row += source.num_rows;
    }
    context.arena.rewind(mark);
  }
  for (const SourceRun& source : sources) source.cache->advance(source.num_rows);
}

Tensor Transformer::logits(Context& context, const Tensor& hidden, const Tensor& head) const {
  Tensor logits = ops::linear(context, head_input(context, hidden), head, parameters_.head.bias);
  if (spec_.final_soft_cap > 0) ops::soft_cap_inplace(context, logits, spec_.final_soft_cap);
  return logits;
}

Tensor Transformer::head_input(Context& context, const Tensor& hidden) const {
  if (!spec_.has_head_transform) return hidden;
  const auto& [dense, norm] = parameters_.head_transform;
  return normalise(context, norm, ops::activate(context, spec_.activation, ops::linear(context, hidden, dense.weight, dense.bias)));
}

Tensor Transformer::pool(Context& context, const Tensor& hidden) const {
  const Tensor first = ops::embedding(context, hidden, rows_.first);
  return ops::activate(context, kernels::Activation::kTanh,
                       ops::linear(context, first, parameters_.pooler.weight, parameters_.pooler.bias));
}

Tensor Transformer::task_input(Context& context, const Tensor& hidden) const {
  if (!head_def(spec_.head.kind).is_of_text) return hidden;
  const Tensor x = spec_.has_pooler ? pool(context, hidden) : ops::embedding(context, hidden, rows_.first);
  if (!spec_.head.has_dense) return x;
  const LinearLayer& dense = parameters_.task.dense;
  return ops::activate(context, spec_.head.activation, ops::linear(context, x, dense.weight, dense.bias));
}

Tensor Transformer::task_logits(Context& context, const Tensor& hidden) const {
  const LinearLayer& output = parameters_.task.output;
  return ops::linear(context, task_input(context, hidden), output.weight, output.bias);
}

// x normalised, for linears.
ops::LinearInput Transformer::normed(const NormLayer& norm, const Tensor& x) const {
  return spec_.norm == NormKind::kRms ? ops::LinearInput::rms_norm(x, norm.weight, spec_.norm_eps)
                                      : ops::LinearInput::layer_norm(x, norm.weight, norm.bias, spec_.norm_eps);
}

Tensor Transformer::normalise(Context& context, const NormLayer& norm, const Tensor& x) const {
  return ops::rows_of(context, normed(norm, x));
}

Tensor Transformer::embed(Context& context) const {
  Tensor x = ops::embedding(context, parameters_.embedding, rows_.tokens);
  adapt_embedding(context, x);
  if (spec_.embedding_scale != 1) ops::scale_inplace(context, x, spec_.embedding_scale);
  insert_virtual(
      context, [](const Adapter& adapter) { return &adapter.prompt; }, x);
  if (spec_.position == PositionKind::kLearned) {
    ops::add_inplace(context, x,
                     ops::embedding(context, parameters_.position_embedding, rows_.learned.empty() ? rows_.position : rows_.learned));
  }
  if (spec_.position == PositionKind::kSinusoidal) ops::add_inplace(context, x, ops::embedding(context, sinusoids_, rows_.position));
  if (spec_.num_segments > 0) ops::add_inplace(context, x, ops::embedding(context, parameters_.segment_embedding, rows_.segment));
  if (spec_.has_embedding_norm) x = normalise(context, parameters_.embedding_norm, x);
  return ops::dropout(context, x, dropout_rows(rows_.training.dropout, kEmbeddingLayer, 0));
}

// Without a tape x [T, C] is updated in place, so that everything else a layer makes can be taken back.
void Transformer::block(Context& context, Tensor& x, int64_t layer) {
  const TransformerBlock& weights = parameters_.layers[static_cast<size_t>(layer)];
  const auto assign = [&](const Tensor& y) {
    if (context.tape != nullptr) {
      x = y;
    } else {
      std::memcpy(x.f32(), y.f32(), static_cast<size_t>(x.num_bytes()));
    }
  };
  Tensor* residual = adds_products(context) ? &x : nullptr;
  const auto sublayer = [&](const NormLayer& norm, const NormLayer& post_norm, DropoutPlace place, auto&& compute) {
    const bool is_source = place == kSourceResidual;
    const auto added = [&](const Tensor& y) {
      ops::DropoutRows dropped = dropout_rows(rows_.training.dropout, layer, place);
      if (is_source) dropped.site = kSourceSites + static_cast<uint32_t>(layer);
      return ops::dropout(context, y, dropped);
    };
    const auto squeeze_output = [&](Tensor& y) {
      if (!is_source) squeeze(context, layer, place == kMlpResidual, x, y);
    };
    if (spec_.norm_placement == NormPlacement::kPost) {
      Tensor y = compute(x);
      squeeze_output(y);
      ops::add_inplace(context, x, added(y));
      assign(normalise(context, norm, x));
      return;
    }
    ops::LinearInput input = normed(norm, x);
    if (spec_.norm_placement == NormPlacement::kKept) {
      input = ops::rows_of(context, input);
      assign(input.x);
    }
    Tensor y = compute(input);
    if (!y) return;
    if (spec_.norm_placement == NormPlacement::kBoth) y = normalise(context, post_norm, y);
    squeeze_output(y);
    ops::add_inplace(context, x, added(y));
  };
  sublayer(weights.attention_norm, weights.attention_post_norm, kAttentionResidual,
           [&](const ops::LinearInput& h) { return attend(context, h, layer, residual); });
  if (spec_.has_encoder()) {
    sublayer(weights.cross_norm, {}, kSourceResidual,
             [&](const ops::LinearInput& h) { return attend_source(context, h, layer, residual); });
  }
  sublayer(weights.mlp_norm, weights.mlp_post_norm, kMlpResidual,
           [&](const ops::LinearInput& h) { return mlp(context, h, layer, residual); });
}

// The block without its record, which is made and walked when the walk comes to it (Chen et al. 2016, arXiv:1604.06174).
void Transformer::checkpointed_block(Context& context, Tensor& x, int64_t layer) {
  Tensor y = context.arena.empty_f32(x.shape());
  std::memcpy(y.f32(), x.f32(), static_cast<size_t>(x.num_bytes()));
  const Arena::Mark mark = context.arena.mark();
  Context untaped{context.arena, context.precision, context.observer};
  block(untaped, y, layer);
  context.arena.rewind(mark);
  context.tape->record(y, [this, x, y, layer, context](Tape& tape) mutable {
    const Arena::Mark arena_mark = context.arena.mark();
    const Tape::Mark tape_mark = tape.mark();
    Tensor again = x;
    block(context, again, layer);
    tape.pass(y, again);
    tape.backward_to(tape_mark);
    context.arena.rewind(arena_mark);
  });
  x = y;
}

// Whether the last product of a sublayer can add to the residual itself: nothing comes between.
bool Transformer::adds_products(const Context& context) const {
  const bool is_plain = spec_.norm_placement == NormPlacement::kPre || spec_.norm_placement == NormPlacement::kKept;
  return is_plain && context.tape == nullptr && rows_.training.dropout == 0 && rows_.training.adapter == nullptr && !rows_.has_adapters;
}

// The rows as a tensor where adapters will read them too.
ops::LinearInput Transformer::input_for(Context& context, ops::LinearInput input) const {
  return rows_.has_adapters ? ops::rows_of(context, input) : std::move(input);
}

// The product [T, N] with what adapters make of it; or nothing, when it has been added to `residual`.
Tensor Transformer::project(Context& context, const ops::LinearInput& x, int64_t layer, Projection projection,
                            const ops::DropoutRows& dropped, Tensor* residual) const {
  const ops::LinearInput input = adapted_input(context, x, layer, projection);
  Tensor y;
  ops::LinearArgs args = args_for(layer, projection, residual != nullptr ? residual : &y);
  args.adds = residual != nullptr;
  ops::linear_group(context, input, std::span(&args, 1), dropped);
  if (residual == nullptr) adapt(context, input.x, layer, projection, y);
  return y;
}

kernels::AttentionShape Transformer::attention_shape(int64_t window) const {
  return {.num_heads = spec_.num_heads,
          .num_kv_heads = spec_.num_kv_heads,
          .head_dim = spec_.head_dim,
          .scale = spec_.attention_scale > 0 ? spec_.attention_scale : 1 / std::sqrt(static_cast<float>(spec_.head_dim)),
          .soft_cap = spec_.attention_soft_cap,
          .window = window};
}

Tensor Transformer::attend(Context& context, const ops::LinearInput& input, int64_t layer, Tensor* residual) {
  const AttentionLayer& weights = parameters_.layers[static_cast<size_t>(layer)].attention;
  const LayerSpec& layer_spec = spec_.layers[static_cast<size_t>(layer)];
  const float p = rows_.training.low_rank_dropout;
  Tensor q, k, v;
  const ops::LinearArgs projections[] = {args_for(layer, Projection::kQ, &q), args_for(layer, Projection::kK, &k),
                                         args_for(layer, Projection::kV, &v)};
  const ops::LinearInput x = input_for(context, input);
  ops::linear_group(context, x, projections, dropout_rows(p, layer, kAttentionInput));
  adapt(context, x.x, layer, Projection::kQ, q);
  adapt(context, x.x, layer, Projection::kK, k);
  adapt(context, x.x, layer, Projection::kV, v);
  if (spec_.has_qk_norm) {
    ops::rms_norm_inplace(context, q, weights.q_norm.weight, spec_.norm_eps);
    ops::rms_norm_inplace(context, k, weights.k_norm.weight, spec_.norm_eps);
  }
  if (spec_.position == PositionKind::kRotary) {
    const RopeTable& rope = ropes_[static_cast<size_t>(layer_spec.rope)];
    ops::rotary_inplace(context, q, spec_.num_heads, rows_.position, rope.cos(), rope.sin(), spec_.rotary_layout);
    ops::rotary_inplace(context, k, spec_.num_kv_heads, rows_.position, rope.cos(), rope.sin(), spec_.rotary_layout);
  }
  const auto at = static_cast<size_t>(layer);
  insert_virtual(
      context, [at](const Adapter& adapter) { return &adapter.layers[at].prefix_keys; }, k);
  insert_virtual(
      context, [at](const Adapter& adapter) { return &adapter.layers[at].prefix_values; }, v);
  kernels::AttentionShape shape = attention_shape(layer_spec.window);
  if (!alibi_slopes_.empty()) shape.alibi_slopes = alibi_slopes_.data();
  if (rows_.probe != nullptr) rows_.probe->attention(layer, shape, q, k);
  const Tensor attended = attend_keys(context, shape, layer, q, k, v);
  return project(context, attended, layer, Projection::kO, dropout_rows(p, layer, kAttentionOutput), residual);
}

Tensor Transformer::attend_keys(Context& context, const kernels::AttentionShape& shape, int64_t layer, const Tensor& q, const Tensor& k,
                                const Tensor& v) {
  if (!rows_.documents.empty()) return ops::document_attention(context, shape, rows_.documents, q, k, v, rows_.relative_bias);
  rows_.attention_runs.clear();
  int64_t row = 0;
  for (const RowRun& run : rows_.runs) {
    run.cache->write(layer, k.f32() + row * k.dim(1), v.f32() + row * v.dim(1), run.num_rows);
    rows_.attention_runs.push_back({row, run.num_rows, run.cache->length(), run.cache->view(layer)});
    row += run.num_rows;
  }
  return ops::attention(context, ops::with_bias(shape, rows_.relative_bias), rows_.attention_runs, q);
}

// Attention whose keys come from another sequence: all of the source, which has no distance from the row.
Tensor Transformer::attend_source(Context& context, const ops::LinearInput& input, int64_t layer, Tensor* residual) {
  const AttentionLayer& weights = parameters_.layers[static_cast<size_t>(layer)].cross_attention;
  const kernels::AttentionShape shape = attention_shape(0);
  Tensor q, k, v, attended, y;
  const ops::LinearArgs query{&weights.q.weight, &weights.q.bias, &q};
  ops::linear_group(context, input, std::span(&query, 1));
  if (!rows_.source_documents.empty()) {
    const ops::LinearArgs projections[] = {{&weights.k.weight, &weights.k.bias, &k}, {&weights.v.weight, &weights.v.bias, &v}};
    ops::linear_group(context, rows_.sources, projections);
    attended = ops::document_attention(context, shape, rows_.source_documents, q, k, v);
  } else {
    rows_.source_runs.clear();
    int64_t row = 0;
    for (const RowRun& run : rows_.runs) {
      rows_.source_runs.push_back(kernels::cross_run(row, run.num_rows, run.source->view(layer), run.source->length()));
      row += run.num_rows;
    }
    attended = ops::attention(context, shape, rows_.source_runs, q);
  }
  ops::LinearArgs output{&weights.o.weight, &weights.o.bias, residual != nullptr ? residual : &y};
  output.adds = residual != nullptr;
  ops::linear_group(context, attended, std::span(&output, 1));
  return y;
}

Tensor Transformer::mlp(Context& context, const ops::LinearInput& input, int64_t layer, Tensor* residual) const {
  const float p = rows_.training.low_rank_dropout;
  const ops::LinearInput x = input_for(context, input);
  Tensor gate, up;
  const ops::LinearArgs projections[] = {args_for(layer, Projection::kUp, &up), args_for(layer, Projection::kGate, &gate)};
  ops::linear_group(context, x, std::span(projections).first(spec_.is_gated ? 2 : 1), dropout_rows(p, layer, kMlpInput));
  adapt(context, x.x, layer, Projection::kUp, up);
  if (spec_.is_gated) adapt(context, x.x, layer, Projection::kGate, gate);
  const ops::LinearInput h =
      spec_.is_gated ? ops::LinearInput::gated_activate(spec_.activation, gate, up) : ops::LinearInput::activate(spec_.activation, up);
  return project(context, h, layer, Projection::kDown, dropout_rows(p, layer, kMlpHidden), residual);
}

}  // namespace atelier::nn
