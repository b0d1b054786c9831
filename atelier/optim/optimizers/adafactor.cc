// Adafactor: the second moment of a matrix kept as its rows' and columns' means, the update clipped by its root mean square.
//
//   b = 1 - step^decay_rate      s = g^2 + epsilon_square
//   row[n] = b row[n] + (1 - b) mean_k s      column[k] = b column[k] + (1 - b) mean_n s                       (matrices [N, K])
//   u = g / sqrt(row[n] / mean(row) column[k])      or g / sqrt(v), v = b v + (1 - b) s                        (vectors)
//   u /= max(1, rms(u) / clip_threshold)      w = w (1 - lr decay) - lr u
//
// lr is multiplied by max(1e-3, rms(w)) with scales_by_parameter. Equals transformers.Adafactor with relative_step=False. Sums over a
// whole tensor are float64 and in the order of its rows: same bits for any number of threads.
#include <algorithm>
#include <cmath>

#include "atelier/kernels/update.h"
#include "atelier/optim/optimizer.h"
#include "atelier/parallel/parallel.h"

namespace atelier::optim {
namespace {

constexpr double kSmallestScale = 1e-3;

bool is_factored(const Shape& shape) { return shape.rank() == 2; }

std::vector<StateInfo> states(const OptimizerOptions&, const Shape& shape) {
  if (!is_factored(shape)) return {{"exp_avg_sq", DType::kF32, shape}};
  return {{"exp_avg_sq_row", DType::kF32, {shape[0]}}, {"exp_avg_sq_col", DType::kF32, {shape[1]}}};
}

// b of the two moments for one step.
struct Mix {
  double old, epsilon, factor;
  double square(float g) const { return factor * static_cast<double>(g) * factor * static_cast<double>(g) + epsilon; }
  float next(float moment, double fresh) const { return static_cast<float>(old * static_cast<double>(moment) + (1 - old) * fresh); }
};

void update_rows(const Mix& mix, const float* gradient, int64_t N, int64_t K, float* row) {
  parallel_for(N, 16, [&](int64_t begin, int64_t end, int) {
    for (int64_t n = begin; n < end; ++n) {
      double sum = 0;
      for (int64_t k = 0; k < K; ++k) sum += mix.square(gradient[n * K + k]);
      row[n] = mix.next(row[n], sum / static_cast<double>(K));
    }
  });
}

void update_columns(const Mix& mix, const float* gradient, int64_t N, int64_t K, float* column) {
  parallel_for(K, 64, [&](int64_t begin, int64_t end, int) {
    std::vector<double> sums(static_cast<size_t>(end - begin));
    for (int64_t n = 0; n < N; ++n) {
      for (int64_t k = begin; k < end; ++k) sums[static_cast<size_t>(k - begin)] += mix.square(gradient[n * K + k]);
    }
    for (int64_t k = begin; k < end; ++k) column[k] = mix.next(column[k], sums[static_cast<size_t>(k - begin)] / static_cast<double>(N));
  });
}

// u [N, K]
std::vector<float> factored_update(const Mix& mix, const Tensor& gradient, std::span<Tensor> states) {
  const int64_t N = gradient.dim(0), K = gradient.dim(1);
  float *row = states[0].f32(), *column = states[1].f32();
  update_rows(mix, gradient.f32(), N, K, row);
  update_columns(mix, gradient.f32(), N, K, column);
  double mean = 0;
  for (int64_t n = 0; n < N; ++n) mean += static_cast<double>(row[n]) / static_cast<double>(N);
  std::vector<float> u(static_cast<size_t>(N * K));
  parallel_for(N, 16, [&](int64_t begin, int64_t end, int) {
    for (int64_t n = begin; n < end; ++n) {
      const auto by_row = static_cast<float>(mix.factor / std::sqrt(static_cast<double>(row[n]) / mean));
      for (int64_t k = 0; k < K; ++k) u[static_cast<size_t>(n * K + k)] = gradient.f32()[n * K + k] * by_row / std::sqrt(column[k]);
    }
  });
  return u;
}

std::vector<float> plain_update(const Mix& mix, const Tensor& gradient, Tensor& moment) {
  std::vector<float> u(static_cast<size_t>(gradient.count()));
  float* v = moment.f32();
  for (int64_t i = 0; i < gradient.count(); ++i) {
    const float g = gradient.f32()[i];
    v[i] = mix.next(v[i], mix.square(g));
    u[static_cast<size_t>(i)] = static_cast<float>(mix.factor) * g / std::sqrt(v[i]);
  }
  return u;
}

double root_mean_square(const float* x, int64_t count) { return std::sqrt(kernels::sum_of_squares(x, count) / static_cast<double>(count)); }

void update(const OptimizerOptions& options, const StepInfo& info, Tensor& value, const Tensor& gradient, std::span<Tensor> states) {
  const double old = 1 - std::pow(static_cast<double>(info.step), options.decay_rate);
  const Mix mix{old, options.epsilon_square, info.gradient_factor};
  const std::vector<float> u = is_factored(value.shape()) ? factored_update(mix, gradient, states) : plain_update(mix, gradient, states[0]);
  const int64_t count = value.count();
  double rate = info.learning_rate;
  if (options.scales_by_parameter) rate *= std::max(kSmallestScale, root_mean_square(value.f32(), count));
  const auto scale = static_cast<float>(rate / std::max(1.0, root_mean_square(u.data(), count) / options.clip_threshold));
  const auto keep = static_cast<float>(1 - rate * options.weight_decay);
  float* w = value.f32();
  parallel_for(count, 8192, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) w[i] = keep * w[i] - scale * u[static_cast<size_t>(i)];
  });
}

}  // namespace

extern const OptimizerDef optimizer_adafactor;
const OptimizerDef optimizer_adafactor = {"adafactor", "second moments as rows and columns: hardly any memory",
                                          "arXiv:1804.04235; transformers.Adafactor", states, update};

}  // namespace atelier::optim
