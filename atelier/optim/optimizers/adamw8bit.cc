// AdamW with moments of 8 bits: a quarter of their memory.
//
// Moments are kept as codes of a dynamic map (an exponent of 0 to 7 bits, the rest linear fraction; Dettmers 2015) times the largest
// magnitude of each block of 256. Parameters below 4096 elements, or of no whole blocks, keep float32 moments. A step decodes a block,
// updates it with AdamW's arithmetic and encodes it to the nearest code. Equals torchao.optim.AdamW8bit.
#include <algorithm>
#include <array>
#include <cmath>

#include "atelier/optim/optimizer.h"
#include "atelier/optim/optimizers/adam_step.h"
#include "atelier/parallel/parallel.h"

namespace atelier::optim {
namespace {

constexpr int64_t kBlock = 256, kSmallest = 4096;
constexpr int64_t kBlocksPerThread = 16;
constexpr float kSmallestScale = 1e-12f;

// The 256 values of the dynamic map, ascending in [-1, 1] (signed) or [0, 1].
class DynamicMap {
 public:
  explicit DynamicMap(bool is_signed) {
    std::vector<float> values = {0, 1};
    for (int exponent = 0; exponent < 7; ++exponent) {
      const int items = 1 << (is_signed ? exponent : exponent + 1);
      const double power = std::pow(10.0, exponent - 6);
      for (int i = 0; i < items; ++i) {  // middles of `items` equal parts of [0.1, 1]
        const double mean = 0.1 + 0.9 * (i + 0.5) / items;
        values.push_back(static_cast<float>(power * mean));
        if (is_signed) values.push_back(static_cast<float>(-power * mean));
      }
    }
    std::sort(values.begin(), values.end());
    std::copy(values.begin(), values.end(), values_.begin());
  }

  float at(uint8_t code) const { return values_[code]; }

  uint8_t nearest(float x) const {
    const auto above = std::upper_bound(values_.begin() + 1, values_.end(), x);
    const auto below = static_cast<size_t>(above - values_.begin()) - 1;
    const size_t next = std::min<size_t>(below + 1, 255);
    return static_cast<uint8_t>(x - values_[below] >= (values_[next] - values_[below]) * 0.5f ? next : below);
  }

 private:
  std::array<float, 256> values_{};
};

const DynamicMap& signed_map() {
  static const DynamicMap map(true);
  return map;
}
const DynamicMap& unsigned_map() {
  static const DynamicMap map(false);
  return map;
}

void decode(const DynamicMap& map, const uint8_t* codes, float scale, float* out) {
  for (int64_t i = 0; i < kBlock; ++i) out[i] = map.at(codes[i]) * scale;
}

float encode(const DynamicMap& map, const float* x, uint8_t* codes) {
  float scale = kSmallestScale;
  for (int64_t i = 0; i < kBlock; ++i) scale = std::max(scale, std::fabs(x[i]));
  for (int64_t i = 0; i < kBlock; ++i) codes[i] = map.nearest(x[i] / scale);
  return scale;
}

bool has_codes(int64_t count) { return count >= kSmallest && count % kBlock == 0; }

std::vector<StateInfo> states(const OptimizerOptions&, const Shape& shape) {
  const int64_t count = shape.count();
  if (!has_codes(count)) return {{"exp_avg", DType::kF32, shape}, {"exp_avg_sq", DType::kF32, shape}};
  const Shape scales{count / kBlock};
  return {{"exp_avg.codes", DType::kI8, shape},
          {"exp_avg_sq.codes", DType::kI8, shape},
          {"exp_avg.scale", DType::kF32, scales},
          {"exp_avg_sq.scale", DType::kF32, scales}};
}

// One block, in the order of scalar/update_scalar.cc.
void update_block(const kernels::AdamStep& step, float* w, const float* gradient, float* m, float* v) {
  for (int64_t i = 0; i < kBlock; ++i) {
    const float g = step.gradient_factor * gradient[i];
    m[i] = m[i] + (g - m[i]) * (1 - step.beta1);
    v[i] = step.beta2 * v[i] + (1 - step.beta2) * (g * g);
    w[i] = step.keep * w[i] - step.rate * m[i] / (std::sqrt(v[i]) * step.root_factor + step.epsilon);
  }
}

void update(const OptimizerOptions& options, const StepInfo& info, Tensor& value, const Tensor& gradient, std::span<Tensor> states) {
  const kernels::AdamStep step = adam_step(options, info);
  if (!has_codes(value.count())) {
    kernels::adam_update(value.f32(), gradient.f32(), states[0].f32(), states[1].f32(), value.count(), step);
    return;
  }
  auto *m_codes = static_cast<uint8_t*>(states[0].mutable_data()), *v_codes = static_cast<uint8_t*>(states[1].mutable_data());
  float *m_scales = states[2].f32(), *v_scales = states[3].f32(), *w = value.f32();
  parallel_for(value.count() / kBlock, kBlocksPerThread, [&](int64_t begin, int64_t end, int) {
    std::array<float, kBlock> m, v;
    for (int64_t b = begin; b < end; ++b) {
      const int64_t first = b * kBlock;
      decode(signed_map(), m_codes + first, m_scales[b], m.data());
      decode(unsigned_map(), v_codes + first, v_scales[b], v.data());
      update_block(step, w + first, gradient.f32() + first, m.data(), v.data());
      m_scales[b] = encode(signed_map(), m.data(), m_codes + first);
      v_scales[b] = encode(unsigned_map(), v.data(), v_codes + first);
    }
  });
}

}  // namespace

extern const OptimizerDef optimizer_adamw8bit;
const OptimizerDef optimizer_adamw8bit = {"adamw8bit", "AdamW with moments of 8 bits in blocks of 256",
                                          "arXiv:2110.02861; torchao AdamW8bit", states, update};

}  // namespace atelier::optim
