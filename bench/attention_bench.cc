// How fast is attention on this machine? One JSON object per line on standard output.
//
//   attention_bench [threads [isa]]
//
// The first line has the limits of the machine as they are now: products on registers (GFLOP/s) and a plain read of memory (GB/s).
// "prefill" is a chunk of 512 rows behind a context, in operations of its two products (GFLOP/s); "decode" is one row, in bytes of keys
// and values read (GB/s): several layers in turn, more than the caches hold. "of_limit" is each as a fraction.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "atelier/io/anonymous_memory.h"
#include "atelier/kernels/kernels.h"
#include "atelier/kernels/kv_tile.h"
#include "atelier/kernels/measure.h"
#include "bench/machine_arguments.h"

namespace {

using namespace atelier;
using kernels::Compute;

struct Case {
  const char* name;
  int64_t num_heads, num_kv_heads, head_dim, window;
};
constexpr Case kCases[] = {{"smollm2-135m", 9, 3, 64, 0}, {"gemma3-270m, window 512", 4, 1, 256, 512}, {"llama-8b", 32, 8, 128, 0}};

// A sequence in pages of some layers, in huge pages as a KV pool is.
struct Cache {
  std::shared_ptr<uint8_t> memory;
  std::vector<uint8_t*> pages;
  int64_t layer_bytes;
  DType dtype;

  Cache(const Case& c, DType type, int64_t layers, int64_t tokens) : dtype(type) {
    layer_bytes = c.num_kv_heads * 2 * kernels::kv_tile_bytes(dtype, c.head_dim);
    const int64_t page_bytes = layers * layer_bytes, num_pages = (tokens + kernels::kKeyTile - 1) / kernels::kKeyTile;
    memory = io::map_anonymous(num_pages * page_bytes, "keys and values", "free memory").value();
    for (int64_t i = 0; i < num_pages; ++i) pages.push_back(memory.get() + i * page_bytes);
    const std::vector<float> row = kernels::ordinary_values(c.num_kv_heads * c.head_dim);
    for (int64_t layer = 0; layer < layers; ++layer) {
      for (int64_t s = 0; s < tokens; ++s) kernels::store_kv(view(layer), c.num_kv_heads, c.head_dim, s, row.data(), row.data(), 1);
    }
  }
  kernels::KvView view(int64_t layer) const { return {dtype, pages.data(), layer * layer_bytes}; }
};

// The least seconds of one layer's call, of a few rounds over all layers.
double seconds_per_layer(const Case& c, const Cache& cache, int64_t layers, int64_t depth, int64_t rows, Compute compute) {
  using Clock = std::chrono::steady_clock;
  const int64_t width = c.num_heads * c.head_dim;
  const std::vector<float> q = kernels::ordinary_values(rows * width);
  std::vector<float> out(q.size());
  const kernels::AttentionShape shape{
      .num_heads = c.num_heads, .num_kv_heads = c.num_kv_heads, .head_dim = c.head_dim, .scale = 0.125f, .window = c.window};
  double best = 1e300;
  for (int round = 0; round < 5; ++round) {
    const Clock::time_point start = Clock::now();
    for (int64_t layer = 0; layer < layers; ++layer) {
      const kernels::AttentionRun run{0, rows, depth, cache.view(layer)};
      kernels::attention(shape, {&run, 1}, q.data(), width, out.data(), width, compute);
    }
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count() / static_cast<double>(layers));
  }
  return best;
}

// What no kernel can surpass: operations and bytes per second.
struct Limits {
  double f32 = kernels::measure_peak(Compute::kF32);
  double bf16 = kernels::measure_peak(Compute::kBF16);
  double bandwidth = kernels::measure_bandwidth();

  double peak(Compute compute) const { return compute == Compute::kF32 ? f32 : bf16; }
};

int64_t keys_seen(const Case& c, int64_t position) { return c.window > 0 ? std::min(c.window, position + 1) : position + 1; }

void measure(const Case& c, DType dtype, int64_t depth, Compute compute, const Limits& limits) {
  constexpr int64_t kRows = 512, kDecodeLayers = 8, kPrefillLayers = 2;
  const Cache cache(c, dtype, kDecodeLayers, depth + kRows);
  double operations = 0;
  for (int64_t t = 0; t < kRows; ++t) operations += 4.0 * static_cast<double>(c.num_heads * c.head_dim * keys_seen(c, depth + t));
  const double prefill_s = seconds_per_layer(c, cache, kPrefillLayers, depth, kRows, compute);
  const double decode_s = seconds_per_layer(c, cache, kDecodeLayers, depth, 1, compute);
  const double bytes = 2.0 * static_cast<double>(c.num_kv_heads * row_bytes(dtype, c.head_dim) * keys_seen(c, depth));
  std::printf(
      "{\"shape\": \"%s\", \"kv\": \"%s\", \"products\": \"%s\", \"depth\": %d, \"prefill_gflops\": %.1f, \"prefill_of_limit\": %.2f, "
      "\"decode_gb_s\": %.1f, \"decode_of_limit\": %.2f, \"decode_us\": %.1f}\n",
      c.name, dtype_name(dtype), compute == Compute::kF32 ? "f32" : "bf16", static_cast<int>(depth), operations / prefill_s * 1e-9,
      operations / prefill_s / limits.peak(compute), bytes / decode_s * 1e-9, bytes / decode_s / limits.bandwidth, decode_s * 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  if (!bench::take_machine_arguments(argc, argv)) return 2;
  const Limits limits;
  std::printf("{\"isa\": \"%s\", \"threads\": %d, \"f32_gflops\": %.0f, \"bf16_gflops\": %.0f, \"read_gb_s\": %.1f}\n",
              kernels::isa_name(kernels::current_isa()), num_threads(), limits.f32 * 1e-9, limits.bf16 * 1e-9, limits.bandwidth * 1e-9);
  for (const Case& c : kCases) {
    for (const DType dtype : {DType::kF16, DType::kQ8_0, DType::kF32}) {
      for (const Compute compute : {Compute::kBF16, Compute::kF32}) {
        measure(c, dtype, 4096, compute, limits);
        if (&c == kCases) measure(c, dtype, 0, compute, limits);
      }
    }
  }
}
