// Derivatives of rows and of single elements on the team (as rows.cc), and of attention and the loss.
#include "atelier/kernels/gradients.h"

#include <algorithm>
#include <cmath>

#include "atelier/kernels/dispatch.h"
#include "atelier/kernels/scratch.h"
#include "atelier/parallel/parallel.h"

namespace atelier::kernels {
namespace {

constexpr int64_t kElementsPerThread = 8192;  // the least that is worth a thread

int64_t rows_per_thread(int64_t C) { return std::max<int64_t>(1, kElementsPerThread / std::max<int64_t>(1, C)); }

// Numbers of one call that live on to the next: the owner thread's.
float* workspace(int64_t floats) {
  thread_local Workspace memory;
  return memory.take(floats);
}

float* bias_workspace(int64_t floats) {
  thread_local Workspace memory;
  return memory.take(floats);
}

// Rows first, for dx and the statistics; then columns, so that each sum over rows belongs to one thread.
void norm_backward(decltype(KernelTable::rms_norm_backward) row_backward, const float* x, const float* weight, float eps, const float* dy,
                   int64_t T, int64_t C, const NormGradients& out) {
  const KernelTable& table = active();
  float* statistics = workspace(2 * T);
  parallel_for(T, rows_per_thread(C), [&](int64_t begin, int64_t end, int) {
    auto* unwanted = static_cast<float*>(thread_scratch(C * static_cast<int64_t>(sizeof(float))));
    for (int64_t t = begin; t < end; ++t) {
      row_backward(x + t * C, weight, eps, dy + t * C, out.dx ? out.dx + t * C : unwanted, statistics + 2 * t, C);
    }
  });
  if (out.d_weight == nullptr && out.d_bias == nullptr) return;
  parallel_for(C, 64, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = 0; t < T; ++t) {
      table.norm_weight_backward(x + t * C + begin, dy + t * C + begin, statistics + 2 * t, out.d_weight ? out.d_weight + begin : nullptr,
                                 out.d_bias ? out.d_bias + begin : nullptr, end - begin);
    }
  });
}

}  // namespace

void activate_backward(Activation activation, const float* x, const float* dy, float* dx, int64_t count) {
  const KernelTable& table = active();
  parallel_for(count, kElementsPerThread, [&](int64_t begin, int64_t end, int) {
    table.activate_backward(activation, x + begin, dy + begin, dx + begin, end - begin);
  });
}

void gated_activate_backward(Activation activation, const float* gate, const float* up, const float* dy, float* dgate, float* dup,
                             int64_t count) {
  const KernelTable& table = active();
  parallel_for(count, kElementsPerThread, [&](int64_t begin, int64_t end, int) {
    table.gated_activate_backward(activation, gate + begin, up + begin, dy + begin, dgate + begin, dup + begin, end - begin);
  });
}

void rms_norm_backward(const float* x, const float* weight, float eps, const float* dy, int64_t T, int64_t C, const NormGradients& out) {
  norm_backward(active().rms_norm_backward, x, weight, eps, dy, T, C, out);
}

void layer_norm_backward(const float* x, const float* weight, float eps, const float* dy, int64_t T, int64_t C, const NormGradients& out) {
  norm_backward(active().layer_norm_backward, x, weight, eps, dy, T, C, out);
}

void rotary_backward(float* dx, int64_t ldx, int64_t T, int64_t num_heads, int64_t D, int64_t R, const int32_t* position, const float* cos,
                     const float* sin, RotaryLayout layout) {
  const KernelTable& table = active();
  parallel_for(T, rows_per_thread(num_heads * D), [&](int64_t begin, int64_t end, int) {
    auto* opposite = static_cast<float*>(thread_scratch(R / 2 * static_cast<int64_t>(sizeof(float))));
    for (int64_t t = begin; t < end; ++t) {
      const int64_t row = position[t] * (R / 2);
      table.scale(sin + row, -1, opposite, R / 2);
      table.rotary(dx + t * ldx, num_heads, D, R, cos + row, opposite, layout);
    }
  });
}

void attention_backward(const AttentionShape& shape, std::span<const DocumentRows> documents, const AttentionGradient& gradient,
                        Compute compute) {
  const KernelTable& table = active();
  const auto kernel =
      compute == Compute::kBF16 && table.attention_backward_bf16 ? table.attention_backward_bf16 : table.attention_backward_f32;
  const int64_t H = shape.num_heads, G = shape.num_kv_heads, D = shape.head_dim, heads = H / G;
  int64_t T = 0;
  for (const DocumentRows& document : documents) T = std::max(T, document.first_row + document.num_rows);
  float* deltas = workspace(T * H);
  parallel_for(T, rows_per_thread(H * D), [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin * H; i < end * H; ++i) {
      double sum = 0;
      for (int64_t d = i * D; d < (i + 1) * D; ++d) sum += static_cast<double>(gradient.out[d]) * static_cast<double>(gradient.d_out[d]);
      deltas[i] = static_cast<float>(sum);
    }
  });
  const int64_t num_biases = gradient.d_relative_bias != nullptr ? H * (2 * shape.reach + 1) : 0;
  float* d_biases = bias_workspace(num_biases * std::ssize(documents));  // of each document
  parallel_for_each(static_cast<int64_t>(documents.size()) * G, [&](int64_t i, int) {
    const DocumentRows& document = documents[static_cast<size_t>(i / G)];
    const int64_t g = i % G, query = document.first_row * H * D + g * heads * D, key = document.key_row() * G * D + g * D;
    const int64_t bias = g * heads * (2 * shape.reach + 1);
    float* d_bias = num_biases > 0 ? d_biases + i / G * num_biases + bias : nullptr;
    if (d_bias != nullptr) std::fill_n(d_bias, heads * (2 * shape.reach + 1), 0.0f);
    const int64_t sums = document.first_row * H + g * heads;
    const AttentionBackwardBlock block{.q = gradient.q + query,
                                       .d_out = gradient.d_out + query,
                                       .dq = gradient.dq + query,
                                       .ldq = H * D,
                                       .k = gradient.k + key,
                                       .v = gradient.v + key,
                                       .dk = gradient.dk + key,
                                       .dv = gradient.dv + key,
                                       .ldk = G * D,
                                       .log_sums = gradient.log_sums + sums,
                                       .deltas = deltas + sums,
                                       .ld_sums = H,
                                       .num_rows = document.num_rows,
                                       .num_keys = document.key_count(),
                                       .num_heads = heads,
                                       .prefix = document.is_cross() ? document.num_keys : document.prefix,
                                       .alibi_slopes = shape.alibi_slopes ? shape.alibi_slopes + g * heads : nullptr,
                                       .relative_bias = shape.relative_bias ? shape.relative_bias + bias : nullptr,
                                       .d_relative_bias = d_bias};
    const int64_t floats = attention_backward_floats(D, document.num_rows, heads);
    kernel(shape, block, static_cast<float*>(thread_scratch(floats * static_cast<int64_t>(sizeof(float)))));
  });
  for (int64_t n = 0; n < num_biases; ++n) {
    float sum = 0;
    for (int64_t i = 0; i < std::ssize(documents); ++i) sum += d_biases[i * num_biases + n];
    gradient.d_relative_bias[n] = sum;
  }
}

double cross_entropy_backward(float* x, int64_t T, int64_t V, const int32_t* labels, float weight, float soft_cap, bool is_loss_only) {
  const KernelTable& table = active();
  auto* losses = reinterpret_cast<double*>(workspace(2 * T));
  parallel_for(T, 1, [&](int64_t begin, int64_t end, int) {
    auto* slopes = static_cast<float*>(thread_scratch(V * static_cast<int64_t>(sizeof(float))));
    for (int64_t t = begin; t < end; ++t) {
      float* row = x + t * V;
      const LogSumExp sum = table.log_sum_exp(row, V);
      const double log_sum = sum.max + sum.log_sum;
      losses[t] = log_sum - static_cast<double>(row[labels[t]]);
      if (is_loss_only) continue;
      if (soft_cap > 0) {
        for (int64_t v = 0; v < V; ++v) slopes[v] = 1 - row[v] / soft_cap * (row[v] / soft_cap);
      }
      table.softmax_backward(row, static_cast<float>(log_sum), weight, row, V);
      row[labels[t]] -= weight;
      if (soft_cap > 0) {
        for (int64_t v = 0; v < V; ++v) row[v] *= slopes[v];
      }
    }
  });
  double total = 0;
  for (int64_t t = 0; t < T; ++t) total += losses[t];
  return total;
}

void add_scaled(const float* x, float factor, float* y, int64_t count) {
  const KernelTable& table = active();
  parallel_for(count, kElementsPerThread,
               [&](int64_t begin, int64_t end, int) { table.add_scaled(x + begin, factor, y + begin, end - begin); });
}

}  // namespace atelier::kernels
