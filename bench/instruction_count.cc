// One call of one of the main kernels, for scripts/check_instructions.sh: what `counted` executes is counted from outside.
//
//   instruction_count KERNEL       prints the operations of the call (two for a multiplication and its addition)
//
// One thread; ATELIER_ISA chooses the instruction set.
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "atelier/kernels/kernels.h"
#include "atelier/kernels/measure.h"
#include "atelier/parallel/parallel.h"
#include "atelier/quant/quant.h"
#include "atelier/quant/tiles.h"

namespace {

using namespace atelier;
using kernels::Compute;
using kernels::ordinary_values;

// Where valgrind starts and stops counting.
void (*run_kernel)();
extern "C" [[gnu::noinline]] void counted() {
  run_kernel();
  __asm__ volatile("");  // no tail call: the function must be seen to return
}

// The second of two calls is counted: the first takes the memory that calls share.
void count(void (*kernel)()) {
  kernel();
  run_kernel = kernel;
  counted();
}

// y = x w of T rows, N outputs and K inputs.
template <DType kType, Compute kCompute, int64_t T, int64_t N, int64_t K>
double linear_operations() {
  static const std::vector<float> x = ordinary_values(T * K);
  static std::vector<float> y(T * N);
  static std::vector<uint8_t> w;
  const std::vector<float> values = ordinary_values(N * K);
  std::vector<uint8_t> rows(static_cast<size_t>(N * row_bytes(kType, K)));
  for (int64_t n = 0; n < N; ++n) {
    uint8_t* row = rows.data() + n * row_bytes(kType, K);
    if (is_quantized(kType)) {
      quant::from_f32(kType, values.data() + n * K, row, K);
    } else {
      std::memcpy(row, values.data() + n * K, K * sizeof(float));
    }
  }
  w = rows;
  for (int64_t n = 0; is_quantized(kType) && n < N; n += quant::kTileRows) {
    quant::pack_tile(kType, rows.data() + n * row_bytes(kType, K), quant::kTileRows, K, w.data() + n * row_bytes(kType, K));
  }
  count([] {
    const kernels::Linear layer = {kType, w.data(), N, nullptr, y.data(), N};
    kernels::linear({&layer, 1}, {x.data(), K}, T, K, kCompute);
  });
  return 2.0 * T * N * K;
}

// One query of nine heads behind 512 keys of three, in float16: SmolLM2-135M.
double attention_operations() {
  constexpr int64_t H = 9, G = 3, D = 64, kKeys = 512;
  static const std::vector<float> q = ordinary_values(H * D), row = ordinary_values(G * D);
  static std::vector<float> out(H * D);
  constexpr int64_t kPageBytes = G * 2 * kernels::kKeyTile * D * 2;
  static std::vector<uint8_t> memory(kPageBytes * (kKeys / kernels::kKeyTile));
  static std::vector<uint8_t*> pages;
  for (size_t at = 0; at < memory.size(); at += kPageBytes) pages.push_back(memory.data() + at);
  static const kernels::KvView kv = {DType::kF16, pages.data(), 0};
  for (int64_t s = 0; s < kKeys; ++s) kernels::store_kv(kv, G, D, s, row.data(), row.data(), 1);
  count([] {
    const kernels::AttentionShape shape{.num_heads = H, .num_kv_heads = G, .head_dim = D, .scale = 0.125f};
    const kernels::AttentionRun run{0, 1, kKeys - 1, kv};
    kernels::attention(shape, {&run, 1}, q.data(), H * D, out.data(), H * D, Compute::kF32);
  });
  return 4.0 * H * D * kKeys;
}

struct Kernel {
  const char* name;
  double (*operations)();
};
constexpr Kernel kKernels[] = {
    {"q4_1_int8_64_rows", linear_operations<DType::kQ4_1, Compute::kInt8, 64, 64, 768>},
    {"q4_k_int8_1_row", linear_operations<DType::kQ4_K, Compute::kInt8, 1, 512, 1536>},
    {"f32_64_rows", linear_operations<DType::kF32, Compute::kF32, 64, 64, 768>},
    {"attention_1_query", attention_operations},
};

}  // namespace

int main(int argc, char** argv) {
  set_num_threads(1);
  for (const Kernel& kernel : kKernels) {
    if (argc != 2 || std::strcmp(argv[1], kernel.name) != 0) continue;
    std::printf("%.0f\n", kernel.operations());
    return 0;
  }
  std::fprintf(stderr, "usage: instruction_count KERNEL, one of:");
  for (const Kernel& kernel : kKernels) std::fprintf(stderr, " %s", kernel.name);
  std::fprintf(stderr, "\n");
  return 2;
}
