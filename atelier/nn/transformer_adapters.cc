// What adapters change in a forward pass: the one that learns, by ops that the tape records, and those of the runs, in place.
#include <algorithm>
#include <cstring>

#include "atelier/base/error.h"
#include "atelier/nn/transformer.h"
#include "atelier/ops/columns.h"
#include "atelier/ops/elementwise.h"
#include "atelier/ops/embedding.h"
#include "atelier/ops/replace_rows.h"
#include "atelier/ops/row_gain.h"
#include "atelier/parallel/parallel.h"

namespace atelier::nn {
namespace {

// x[t, c] *= 1 + weight (scale[c] - 1)
void scale_rows(Tensor& x, const Tensor& scale, float weight) {
  const int64_t C = x.dim(1);
  parallel_for(x.dim(0), std::max<int64_t>(1, 8192 / C), [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin * C; i < end * C; ++i) x.f32()[i] *= 1 + weight * (scale.f32()[i % C] - 1);
  });
}

// y[t, c] += weight * bias[c]
void add_to_rows(Tensor& y, const Tensor& bias, float weight) {
  const int64_t C = y.dim(1);
  parallel_for(y.dim(0), std::max<int64_t>(1, 8192 / C), [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin * C; i < end * C; ++i) y.f32()[i] += weight * bias.f32()[i % C];
  });
}

// y += weight * (gain * (base - bias + addition) - (base - bias)), rows of DoRA.
void add_gained(const Tensor& base, const Tensor& bias, const Tensor& addition, const Tensor& gain, float weight, Tensor& y) {
  const int64_t N = y.dim(1);
  parallel_for(y.dim(0), std::max<int64_t>(1, 8192 / N), [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin * N; i < end * N; ++i) {
      const int64_t n = i % N;
      const float product = base.f32()[i] - (bias ? bias.f32()[n] : 0.0f);
      y.f32()[i] += weight * ((gain.f32()[n] - 1) * product + gain.f32()[n] * addition.f32()[i]);
    }
  });
}

Tensor copy_of(Context& context, const Tensor& x) {
  Tensor copy = context.arena.empty_f32(x.shape());
  std::memcpy(copy.f32(), x.f32(), static_cast<size_t>(x.num_bytes()));
  return copy;
}

bool is_there(const LinearAdapter& adapter) { return adapter.low_rank.a || adapter.input_scale || adapter.output_scale; }

// scale * up f(down x)
Tensor squeezed(Context& context, const Bottleneck& bottleneck, const Tensor& x) {
  const Tensor h = ops::activate(context, bottleneck.activation, ops::linear(context, x, bottleneck.down, bottleneck.down_bias));
  Tensor y = ops::linear(context, h, bottleneck.up, bottleneck.up_bias);
  if (bottleneck.scale != 1) ops::scale_inplace(context, y, bottleneck.scale);
  return y;
}

// What is added to the bias of a linear layer; none: no tensor.
Tensor bias_of(const Adapter& adapter, int64_t layer, Projection projection) {
  if (adapter.biases.layers.empty()) return {};
  return projections_of(adapter.biases.layers[static_cast<size_t>(layer)])[static_cast<size_t>(projection)]->bias;
}

const Bottleneck& bottleneck_of(const Adapter& adapter, int64_t layer, bool is_mlp) {
  const LayerAdapter& at = adapter.layers[static_cast<size_t>(layer)];
  return is_mlp ? at.mlp : at.attention;
}

}  // namespace

void Transformer::set_tokens(std::span<const int32_t> ids) {
  rows_.tokens = ids;
  rows_.has_virtual = std::ranges::any_of(ids, [&](int32_t id) { return id >= spec_.vocab_size; });
  if (!rows_.has_virtual) return;
  rows_.real.assign(ids.begin(), ids.end());
  rows_.virtual_row.assign(ids.size(), -1);
  for (size_t t = 0; t < ids.size(); ++t) {
    if (ids[t] < spec_.vocab_size) continue;
    rows_.real[t] = 0;  // looked up and then replaced
    rows_.virtual_row[t] = static_cast<int32_t>(ids[t] - spec_.vocab_size);
  }
  rows_.tokens = rows_.real;
}

const LinearAdapter* Transformer::learned(int64_t layer, Projection projection) const {
  const Adapter* adapter = rows_.training.adapter;
  return adapter == nullptr ? nullptr : &adapter->layers[static_cast<size_t>(layer)].linears[static_cast<size_t>(projection)];
}

ops::LinearArgs Transformer::args_for(int64_t layer, Projection projection, Tensor* y) const {
  const LinearLayer& linear = *projections_of(parameters_.layers[static_cast<size_t>(layer)])[static_cast<size_t>(projection)];
  const LinearAdapter* adapter = learned(layer, projection);
  if (adapter == nullptr) return {&linear.weight, &linear.bias, y};
  return {&linear.weight, adapter->magnitude ? nullptr : &linear.bias, y, &adapter->low_rank};
}

// Calls work(adapters, begin, end) for neighbours with the same adapters.
template <class Work>
void Transformer::for_each_adapted(const Work& work) const {
  int64_t row = 0;
  for (size_t first = 0, end = 0; first < rows_.runs.size(); first = end) {
    const std::span<const AppliedAdapter> adapters = rows_.runs[first].adapters;
    const int64_t begin = row;
    for (; end < rows_.runs.size() && std::ranges::equal(adapters, rows_.runs[end].adapters); ++end) row += rows_.runs[end].num_rows;
    if (!adapters.empty()) work(adapters, begin, row);
  }
}

void Transformer::adapt(Context& context, const Tensor& x, int64_t layer, Projection projection, Tensor& y) const {
  const LinearLayer& linear = *projections_of(parameters_.layers[static_cast<size_t>(layer)])[static_cast<size_t>(projection)];
  if (const LinearAdapter* adapter = learned(layer, projection)) {
    if (adapter->magnitude) {
      y = ops::scale_columns(context, y, ops::row_gain(context, linear.weight, adapter->squares, adapter->low_rank, adapter->magnitude));
      if (linear.bias) y = ops::add_row(context, y, linear.bias);
    }
    if (adapter->output_scale) y = ops::scale_columns(context, y, adapter->output_scale);
  }
  if (!rows_.has_adapters) return;
  for_each_adapted([&](std::span<const AppliedAdapter> adapters, int64_t begin, int64_t end) {
    const auto at = [&](const AppliedAdapter& applied) -> const LinearAdapter& {
      return applied.adapter->layers[static_cast<size_t>(layer)].linears[static_cast<size_t>(projection)];
    };
    const auto changes = [&](const AppliedAdapter& applied) {
      return is_there(at(applied)) || bias_of(*applied.adapter, layer, projection);
    };
    if (std::ranges::none_of(adapters, changes)) return;
    const Tensor input = x.rows(begin, end);
    Tensor output = y.rows(begin, end);
    const bool has_gain = std::ranges::any_of(adapters, [&](const AppliedAdapter& applied) { return static_cast<bool>(at(applied).gain); });
    const Tensor base = has_gain ? copy_of(context, output) : Tensor();
    for (const AppliedAdapter& applied : adapters) {
      const LinearAdapter& adapter = at(applied);
      const ops::LowRank& low_rank = adapter.low_rank;
      if (low_rank.a && !adapter.gain) ops::add_low_rank(context, input, low_rank, applied.weight * low_rank.scale, output);
      if (low_rank.a && adapter.gain) {
        Tensor addition = context.arena.empty_f32(output.shape());
        std::fill_n(addition.f32(), addition.count(), 0.0f);
        ops::add_low_rank(context, input, low_rank, low_rank.scale, addition);
        add_gained(base, linear.bias, addition, adapter.gain, applied.weight, output);
      }
      if (const Tensor bias = bias_of(*applied.adapter, layer, projection)) add_to_rows(output, bias, applied.weight);
      if (adapter.output_scale) scale_rows(output, adapter.output_scale, applied.weight);
    }
  });
}

ops::LinearInput Transformer::adapted_input(Context& context, const ops::LinearInput& input, int64_t layer, Projection projection) const {
  const LinearAdapter* adapter = learned(layer, projection);
  if (adapter != nullptr && adapter->input_scale) {
    return ops::scale_columns(context, ops::rows_of(context, input), adapter->input_scale);
  }
  if (!rows_.has_adapters) return input;
  Tensor x = ops::rows_of(context, input);  // o and down: made for this product alone
  for_each_adapted([&](std::span<const AppliedAdapter> adapters, int64_t begin, int64_t end) {
    for (const AppliedAdapter& applied : adapters) {
      const Tensor& scale = applied.adapter->layers[static_cast<size_t>(layer)].linears[static_cast<size_t>(projection)].input_scale;
      Tensor rows = x.rows(begin, end);
      if (scale) scale_rows(rows, scale, applied.weight);
    }
  });
  return x;
}

// x [T, C] of the table; then what adapters add or put in its place.
void Transformer::adapt_embedding(Context& context, Tensor& x) const {
  const auto add = [&](const ops::LowRank& low_rank, float weight, std::span<const int32_t> ids, Tensor& rows) {
    Tensor y = ops::linear(context, ops::embedding(context, low_rank.a, ids), low_rank.b);
    ops::scale_inplace(context, y, weight * low_rank.scale);
    ops::add_inplace(context, rows, y);
  };
  const Adapter* adapter = rows_.training.adapter;
  if (adapter != nullptr && adapter->embedding.a) add(adapter->embedding, 1, rows_.tokens, x);
  if (!rows_.has_adapters) return;
  for_each_adapted([&](std::span<const AppliedAdapter> adapters, int64_t begin, int64_t end) {
    const std::span<const int32_t> ids = rows_.tokens.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
    Tensor rows = x.rows(begin, end);
    for (const AppliedAdapter& applied : adapters) {
      if (!applied.adapter->table) continue;
      const Tensor own = ops::embedding(context, applied.adapter->table, ids);
      std::memcpy(rows.f32(), own.f32(), static_cast<size_t>(own.num_bytes()));
    }
    for (const AppliedAdapter& applied : adapters) {
      if (applied.adapter->embedding.a) add(applied.adapter->embedding, applied.weight, ids, rows);
    }
  });
}

void Transformer::insert_virtual(Context& context, FunctionRef<const Tensor*(const Adapter&)> table_of, Tensor& x) const {
  if (!rows_.has_virtual) return;
  if (const Adapter* adapter = rows_.training.adapter) {
    const Tensor& table = *table_of(*adapter);
    if (table) x = ops::replace_rows(context, x, table, rows_.virtual_row);
    return;
  }
  for_each_adapted([&](std::span<const AppliedAdapter> adapters, int64_t begin, int64_t end) {
    for (const AppliedAdapter& applied : adapters) {
      const Tensor& table = *table_of(*applied.adapter);
      for (int64_t t = begin; table && t < end; ++t) {
        const int32_t index = rows_.virtual_row[static_cast<size_t>(t)];
        if (index < 0) continue;
        ATELIER_CHECK(index < table.dim(0));
        std::memcpy(x.f32() + t * x.dim(1), table.f32() + index * x.dim(1), static_cast<size_t>(x.dim(1)) * sizeof(float));
      }
    }
  });
}

// y [T, C] behind a norm.
void Transformer::adapt_norm(FunctionRef<const NormLayer*(const TransformerParameters&)> norm_of, Tensor& y) const {
  if (!rows_.has_adapters) return;
  for_each_adapted([&](std::span<const AppliedAdapter> adapters, int64_t begin, int64_t end) {
    for (const AppliedAdapter& applied : adapters) {
      if (applied.adapter->biases.layers.empty()) continue;
      const Tensor& bias = norm_of(applied.adapter->biases)->bias;
      Tensor rows = y.rows(begin, end);
      if (bias) add_to_rows(rows, bias, applied.weight);
    }
  });
}

void Transformer::squeeze(Context& context, int64_t layer, bool is_mlp, const Tensor& x, Tensor& y) const {
  if (const Adapter* adapter = rows_.training.adapter) {
    const Bottleneck& bottleneck = bottleneck_of(*adapter, layer, is_mlp);
    if (bottleneck.down) {
      y = ops::add(context, y, squeezed(context, bottleneck, bottleneck.reads_residual ? ops::add(context, y, x) : y));
    }
  }
  if (!rows_.has_adapters) return;
  for_each_adapted([&](std::span<const AppliedAdapter> adapters, int64_t begin, int64_t end) {
    for (const AppliedAdapter& applied : adapters) {
      const Bottleneck& bottleneck = bottleneck_of(*applied.adapter, layer, is_mlp);
      if (!bottleneck.down) continue;
      Tensor rows = y.rows(begin, end);
      const Tensor input = bottleneck.reads_residual ? ops::add(context, rows, x.rows(begin, end)) : rows;
      ops::add_inplace(context, rows, squeezed(context, bottleneck, input));
    }
  });
}

}  // namespace atelier::nn
