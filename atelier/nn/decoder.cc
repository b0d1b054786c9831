#include "atelier/nn/decoder.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "atelier/base/error.h"
#include "atelier/nn/alibi.h"
#include "atelier/ops/attention.h"
#include "atelier/ops/elementwise.h"
#include "atelier/ops/embedding.h"
#include "atelier/ops/linear.h"
#include "atelier/ops/norm.h"

namespace atelier::nn {

// Where each input row stands in its sequence.
struct Decoder::Rows {
  std::vector<int32_t> position;  // [T]
  std::span<const RowRun> runs;
};

Decoder::Decoder(TransformerSpec spec, DecoderParameters parameters, int64_t planned_context)
    : spec_(std::move(spec)), parameters_(std::move(parameters)) {
  ATELIER_CHECK(static_cast<int64_t>(parameters_.layers.size()) == spec_.num_layers());
  if (spec_.has_tied_head) parameters_.head = parameters_.embedding;
  if (spec_.position == PositionKind::kRotary) {
    for (const RopeSpec& rope : spec_.ropes) ropes_.emplace_back(rope, planned_context);
  }
  if (spec_.position == PositionKind::kAlibi) alibi_slopes_ = alibi_slopes(spec_.num_heads);
}

Tensor Decoder::forward(Context& context, std::span<const int32_t> ids, std::span<const RowRun> runs) {
  Rows rows{{}, runs};
  rows.position.reserve(ids.size());
  int64_t end = 0;
  for (const RowRun& run : runs) {
    ATELIER_CHECK(run.cache->reserve(run.num_rows));
    for (int64_t i = 0; i < run.num_rows; ++i) rows.position.push_back(static_cast<int32_t>(run.cache->length() + i));
    end = std::max(end, run.cache->length() + run.num_rows);
  }
  ATELIER_CHECK(rows.position.size() == ids.size());
  for (RopeTable& rope : ropes_) rope.ensure(end);

  Tensor x = embed(context, ids, rows);
  const Arena::Mark mark = context.arena.mark();
  for (int64_t layer = 0; layer < spec_.num_layers(); ++layer) {
    block(context, x, layer, rows);
    context.arena.rewind(mark);
  }
  for (const RowRun& run : runs) run.cache->advance(run.num_rows);
  return spec_.has_final_norm ? normalise(context, parameters_.final_norm, x) : x;
}

Tensor Decoder::logits(Context& context, const Tensor& hidden) const {
  Tensor logits = ops::linear(context, hidden, parameters_.head);
  if (spec_.final_soft_cap > 0) ops::soft_cap_inplace(logits, spec_.final_soft_cap);
  return logits;
}

Tensor Decoder::normalise(Context& context, const NormLayer& norm, const Tensor& x) const {
  return spec_.norm == NormKind::kRms ? ops::rms_norm(context, x, norm.weight, spec_.norm_eps)
                                      : ops::layer_norm(context, x, norm.weight, norm.bias, spec_.norm_eps);
}

Tensor Decoder::embed(Context& context, std::span<const int32_t> ids, const Rows& rows) const {
  Tensor x = ops::embedding(context, parameters_.embedding, ids);
  if (spec_.embedding_scale != 1) ops::scale_inplace(x, spec_.embedding_scale);
  if (spec_.position == PositionKind::kLearned) {
    ops::add_inplace(x, ops::embedding(context, parameters_.position_embedding, rows.position));
  }
  return spec_.has_embedding_norm ? normalise(context, parameters_.embedding_norm, x) : x;
}

// x [T, C] is updated in place, so that everything else a layer makes can be taken back.
void Decoder::block(Context& context, Tensor& x, int64_t layer, const Rows& rows) {
  const DecoderLayer& weights = parameters_.layers[static_cast<size_t>(layer)];
  const auto assign = [&x](const Tensor& y) { std::memcpy(x.f32(), y.f32(), static_cast<size_t>(x.num_bytes())); };
  const auto sublayer = [&](const NormLayer& norm, const NormLayer& post_norm, auto&& compute) {
    if (spec_.norm_placement == NormPlacement::kPost) {
      ops::add_inplace(x, compute(x));
      assign(normalise(context, norm, x));
      return;
    }
    const Tensor normed = normalise(context, norm, x);
    if (spec_.norm_placement == NormPlacement::kKept) assign(normed);
    const Tensor y = compute(normed);
    ops::add_inplace(x, spec_.norm_placement == NormPlacement::kBoth ? normalise(context, post_norm, y) : y);
  };
  sublayer(weights.attention_norm, weights.attention_post_norm, [&](const Tensor& h) { return attend(context, h, layer, rows); });
  sublayer(weights.mlp_norm, weights.mlp_post_norm, [&](const Tensor& h) { return mlp(context, h, weights.mlp); });
}

Tensor Decoder::attend(Context& context, const Tensor& x, int64_t layer, const Rows& rows) {
  const AttentionLayer& weights = parameters_.layers[static_cast<size_t>(layer)].attention;
  const LayerSpec& layer_spec = spec_.layers[static_cast<size_t>(layer)];
  Tensor q, k, v;
  const ops::LinearArgs projections[] = {
      {&weights.q.weight, &weights.q.bias, &q}, {&weights.k.weight, &weights.k.bias, &k}, {&weights.v.weight, &weights.v.bias, &v}};
  ops::linear_group(context, x, projections);
  if (spec_.has_qk_norm) {
    ops::rms_norm_inplace(q, weights.q_norm.weight, spec_.norm_eps);
    ops::rms_norm_inplace(k, weights.k_norm.weight, spec_.norm_eps);
  }
  if (spec_.position == PositionKind::kRotary) {
    const RopeTable& rope = ropes_[static_cast<size_t>(layer_spec.rope)];
    ops::rotary_inplace(q, spec_.num_heads, rows.position, rope.cos(), rope.sin(), spec_.rotary_layout);
    ops::rotary_inplace(k, spec_.num_kv_heads, rows.position, rope.cos(), rope.sin(), spec_.rotary_layout);
  }

  std::vector<kernels::AttentionRun> runs;
  int64_t row = 0;
  for (const RowRun& run : rows.runs) {
    run.cache->write(layer, k.f32() + row * k.dim(1), v.f32() + row * v.dim(1), run.num_rows);
    runs.push_back({row, run.num_rows, run.cache->length(), run.cache->view(layer)});
    row += run.num_rows;
  }
  const kernels::AttentionShape shape{
      .num_heads = spec_.num_heads,
      .num_kv_heads = spec_.num_kv_heads,
      .head_dim = spec_.head_dim,
      .scale = spec_.attention_scale > 0 ? spec_.attention_scale : 1 / std::sqrt(static_cast<float>(spec_.head_dim)),
      .soft_cap = spec_.attention_soft_cap,
      .window = layer_spec.window,
      .alibi_slopes = alibi_slopes_.empty() ? nullptr : alibi_slopes_.data()};
  return ops::linear(context, ops::attention(context, shape, runs, q), weights.o.weight, weights.o.bias);
}

Tensor Decoder::mlp(Context& context, const Tensor& x, const MlpLayer& layer) const {
  if (!spec_.is_gated) {
    const Tensor up = ops::linear(context, x, layer.up.weight, layer.up.bias);
    return ops::linear(context, ops::activate(context, spec_.activation, up), layer.down.weight, layer.down.bias);
  }
  Tensor gate, up;
  const ops::LinearArgs projections[] = {{&layer.gate.weight, &layer.gate.bias, &gate}, {&layer.up.weight, &layer.up.bias, &up}};
  ops::linear_group(context, x, projections);
  return ops::linear(context, ops::gated_activate(context, spec_.activation, gate, up), layer.down.weight, layer.down.bias);
}

}  // namespace atelier::nn
