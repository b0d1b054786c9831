#include "atelier/nn/initialise.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "atelier/base/hash.h"
#include "atelier/base/rng.h"
#include "atelier/parallel/parallel.h"

namespace atelier::nn {
namespace {

uint64_t stream_of(const std::string& name) { return hash_values(std::span(name.data(), name.size())); }

}  // namespace

void fill_normal(uint64_t seed, uint64_t stream, float deviation, Tensor& value) {
  float* out = value.f32();
  parallel_for(value.count(), 4096, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const auto position = static_cast<uint64_t>(i);
      const double u = 1 - random_uniform(seed, stream, position, 0), angle = 2 * M_PI * random_uniform(seed, stream, position, 1);
      out[i] = deviation * static_cast<float>(std::sqrt(-2 * std::log(u)) * std::cos(angle));
    }
  });
}

void initialise_parameter(const TransformerSpec& spec, const std::string& name, uint64_t seed, Tensor& value) {
  if (value.shape().rank() < 2) {
    std::fill_n(value.f32(), value.count(), name.ends_with(".bias") ? 0.0f : 1.0f);
    return;
  }
  float deviation = 0.02f;
  const bool is_residual = name.ends_with("attention.o.weight") || name.ends_with("mlp.down.weight");
  if (is_residual && spec.position == PositionKind::kLearned && spec.mask == MaskKind::kCausal) {  // GPT-2
    deviation /= std::sqrt(2 * static_cast<float>(spec.num_layers()));
  }
  fill_normal(seed, stream_of(name), deviation, value);
}

void initialise_low_rank(const std::string& name, uint64_t seed, Tensor& a) {
  const double bound = 1 / std::sqrt(static_cast<double>(a.dim(1)));
  const uint64_t stream = stream_of(name);
  for (int64_t i = 0; i < a.count(); ++i) {
    a.f32()[i] = static_cast<float>(bound * (2 * random_uniform(seed, stream, static_cast<uint64_t>(i)) - 1));
  }
}

}  // namespace atelier::nn
