// How fast are the kernels of this machine? One JSON object per line on standard output.
//
//   kernels_bench [threads [isa]]
//
// "prefill" is a linear layer for 512 rows (GOP/s), "decode" one for a single row (GB/s of weights read; larger than the caches).
#include <cstdio>
#include <string>

#include "atelier/kernels/measure.h"
#include "bench/machine_arguments.h"

namespace {

using namespace atelier;
using kernels::Compute;

struct Shape {
  int64_t N, K;
};

const char* compute_name(Compute compute) {
  switch (compute) {
    case Compute::kF32:
      return "f32";
    case Compute::kBF16:
      return "bf16";
    case Compute::kInt8:
      return "int8";
  }
  return "";
}

void measure(DType dtype, Compute compute) {
  for (const Shape shape : {Shape{1536, 576}, Shape{576, 1536}, Shape{2048, 2048}}) {
    if (shape.K % dtype_info(dtype).block_size != 0) continue;
    const double ops = 2.0 * static_cast<double>(shape.N * shape.K);
    const double prefill_s = kernels::measure_linear(dtype, compute, 512, shape.N, shape.K, 0.4);
    const double batch_s = kernels::measure_linear(dtype, compute, 8, shape.N, shape.K, 0.2);
    std::printf("{\"weights\": \"%s\", \"compute\": \"%s\", \"N\": %d, \"K\": %d, \"prefill_gops\": %.1f, \"batch8_gops\": %.1f}\n",
                dtype_name(dtype), compute_name(compute), static_cast<int>(shape.N), static_cast<int>(shape.K),
                512 * ops / prefill_s * 1e-9, 8 * ops / batch_s * 1e-9);
  }
  const Shape large = dtype_info(dtype).block_size == 256 ? Shape{65536, 1536} : Shape{163840, 576};
  const double decode_s = kernels::measure_linear(dtype, compute, 1, large.N, large.K, 0.4);
  const Shape small = {1536, 1536};
  const double cached_s = kernels::measure_linear(dtype, compute, 1, small.N, small.K, 0.1);
  std::printf("{\"weights\": \"%s\", \"compute\": \"%s\", \"decode_gb_s\": %.1f, \"decode_cached_gb_s\": %.1f}\n", dtype_name(dtype),
              compute_name(compute), static_cast<double>(row_bytes(dtype, large.K) * large.N) / decode_s * 1e-9,
              static_cast<double>(row_bytes(dtype, small.K) * small.N) / cached_s * 1e-9);
}

}  // namespace

int main(int argc, char** argv) {
  if (!bench::take_machine_arguments(argc, argv)) return 2;
  std::printf("{\"isa\": \"%s\", \"threads\": %d, \"read_gb_s\": %.1f}\n", kernels::isa_name(kernels::current_isa()), num_threads(),
              kernels::measure_bandwidth() * 1e-9);
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16, DType::kQ4_1}) measure(dtype, Compute::kF32);
  measure(DType::kBF16, Compute::kBF16);
  for (const DType dtype : {DType::kQ4_0, DType::kQ4_1, DType::kQ5_0, DType::kQ5_1, DType::kQ8_0, DType::kQ2_K, DType::kQ3_K, DType::kQ4_K,
                            DType::kQ5_K, DType::kQ6_K, DType::kIQ4_NL, DType::kIQ4_XS}) {
    measure(dtype, Compute::kInt8);
  }
}
