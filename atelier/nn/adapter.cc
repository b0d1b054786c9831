#include "atelier/nn/adapter.h"

#include <algorithm>
#include <cmath>

namespace atelier::nn {
namespace {

// row += factor * (B A)[n, :]
void add_low_rank_row(const ops::LowRank& low_rank, float factor, int64_t n, int64_t K, float* row) {
  const int64_t R = low_rank.a.dim(0);
  for (int64_t r = 0; r < R; ++r) {
    const float b = factor * low_rank.b.f32()[n * R + r];
    const float* a = low_rank.a.f32() + r * K;
    for (int64_t k = 0; k < K; ++k) row[k] += b * a[k];
  }
}

// A factor that goes `weight` of the way from 1.
float part_of(float factor, float weight) { return 1 + weight * (factor - 1); }

class Visitor {
 public:
  explicit Visitor(FunctionRef<void(const std::string&, Tensor&)> visit) : visit_(visit) {}

  void tensor(const std::string& name, Tensor& tensor) {
    if (tensor) visit_(name, tensor);
  }
  void low_rank(const std::string& name, ops::LowRank& low_rank) {
    tensor(name + ".lora_a", low_rank.a);
    tensor(name + ".lora_b", low_rank.b);
  }
  void bottleneck(const std::string& name, Bottleneck& bottleneck) {
    tensor(name + ".down", bottleneck.down);
    tensor(name + ".down_bias", bottleneck.down_bias);
    tensor(name + ".up", bottleneck.up);
    tensor(name + ".up_bias", bottleneck.up_bias);
  }
  void layer(const std::string& name, LayerAdapter& layer) {
    for (size_t p = 0; p < layer.linears.size(); ++p) {
      const std::string linear = name + "." + kProjectionNames[p];
      low_rank(linear, layer.linears[p].low_rank);
      tensor(linear + ".magnitude", layer.linears[p].magnitude);
      tensor(linear + ".input_scale", layer.linears[p].input_scale);
      tensor(linear + ".output_scale", layer.linears[p].output_scale);
    }
    bottleneck(name + ".attention.bottleneck", layer.attention);
    bottleneck(name + ".mlp.bottleneck", layer.mlp);
    tensor(name + ".prefix_keys", layer.prefix_keys);
    tensor(name + ".prefix_values", layer.prefix_values);
  }

 private:
  FunctionRef<void(const std::string&, Tensor&)> visit_;
};

}  // namespace

void visit_adapter(Adapter& adapter, FunctionRef<void(const std::string&, Tensor&)> visit) {
  Visitor visitor(visit);
  visitor.tensor("prompt", adapter.prompt);
  visitor.low_rank("embedding", adapter.embedding);
  for (size_t i = 0; i < adapter.layers.size(); ++i) visitor.layer("layers." + std::to_string(i), adapter.layers[i]);
}

std::string reason_against(std::span<const AppliedAdapter> adapters) {
  int num_with_virtual = 0, num_with_tables = 0;
  for (const auto& [adapter, weight] : adapters) {
    const bool has_tables = adapter->table || adapter->head;
    const bool has_bottlenecks =
        std::ranges::any_of(adapter->layers, [](const LayerAdapter& layer) { return layer.attention.down || layer.mlp.down; });
    num_with_virtual += adapter->num_virtual > 0;
    num_with_tables += has_tables;
    if (weight != 1 && (adapter->num_virtual > 0 || has_tables || has_bottlenecks)) {
      return "virtual tokens, whole tables and bottlenecks have no weight but 1; LoRA and (IA)^3 can be mixed";
    }
  }
  if (num_with_virtual > 1) return "two of them put virtual tokens before the text; use one at a time";
  if (num_with_tables > 1) return "two of them have tables of embeddings of their own; use one at a time";
  return {};
}

int64_t num_virtual(std::span<const AppliedAdapter> adapters) {
  int64_t count = 0;
  for (const AppliedAdapter& applied : adapters) count = std::max(count, applied.adapter->num_virtual);
  return count;
}

float adapted_length(const ops::LowRank& low_rank, int64_t n, int64_t K, const float* row) {
  std::vector<float> adapted(row, row + K);
  add_low_rank_row(low_rank, low_rank.scale, n, K, adapted.data());
  double square = 0;
  for (const float value : adapted) square += static_cast<double>(value) * value;
  return static_cast<float>(std::sqrt(std::max(square, 1e-30)));
}

void merge_row(std::span<const AppliedLinear> adapters, int64_t n, int64_t K, float* row) {
  const std::vector<float> base(row, row + K);
  for (const auto& [adapter, bias, weight] : adapters) {
    const ops::LowRank& low_rank = adapter.low_rank;
    if (low_rank.a) {
      const float gain = adapter.gain ? adapter.gain.f32()[n] : 1.0f;
      for (int64_t k = 0; k < K; ++k) row[k] += weight * (gain - 1) * base[static_cast<size_t>(k)];
      add_low_rank_row(low_rank, weight * gain * low_rank.scale, n, K, row);
    }
    if (adapter.input_scale) {
      for (int64_t k = 0; k < K; ++k) row[k] *= part_of(adapter.input_scale.f32()[k], weight);
    }
    if (adapter.output_scale) {
      for (int64_t k = 0; k < K; ++k) row[k] *= part_of(adapter.output_scale.f32()[n], weight);
    }
  }
}

float merged_bias(std::span<const AppliedLinear> adapters, int64_t n, float bias) {
  for (const AppliedLinear& applied : adapters) {
    if (applied.bias) bias += applied.weight * applied.bias.f32()[n];
    if (applied.adapter.output_scale) bias *= part_of(applied.adapter.output_scale.f32()[n], applied.weight);
  }
  return bias;
}

}  // namespace atelier::nn
