// For the tests of this room: every table of kernels that this machine can run, and random inputs.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "atelier/base/half.h"
#include "atelier/kernels/dispatch.h"
#include "atelier/kernels/scratch.h"
#include "atelier/quant/tiles.h"

namespace atelier::kernels {

struct NamedTable {
  std::string name;
  const KernelTable* table;
};

// The rungs above AVX2 on emulated instructions (emulated_isas_test.cc); none where SIMDe is not installed.
std::vector<NamedTable> emulated_tables();

// The SIMD rungs of this CPU, and the emulated ones.
inline std::vector<NamedTable> simd_tables() {
  std::vector<NamedTable> tables = emulated_tables();
  for (const Isa isa : supported_isas()) {
    if (isa != Isa::kScalar) tables.push_back({isa_name(isa), &kernel_table(isa)});
  }
  return tables;
}

inline std::string name_of(const testing::TestParamInfo<NamedTable>& tested) { return tested.param.name; }
inline void PrintTo(const NamedTable& table, std::ostream* out) { *out << table.name; }

inline std::vector<float> random_floats(int64_t count, uint32_t seed, float scale = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = normal(generator);
  return values;
}

// Where a block keeps its half floats, or the two halves of a float32.
inline std::vector<int> half_offsets(DType dtype) {
  switch (dtype) {
    case DType::kQ4_1:
    case DType::kQ5_1:
    case DType::kQ4_K:
    case DType::kQ5_K:
    case DType::kNF4:
      return {0, 2};
    case DType::kQ2_K:
      return {80, 82};
    case DType::kQ3_K:
      return {108};
    case DType::kQ6_K:
      return {208};
    default:
      return {0};
  }
}

inline constexpr DType kBlockTypes[] = {DType::kQ4_0,   DType::kQ4_1,   DType::kQ5_0, DType::kQ5_1, DType::kQ8_0,
                                        DType::kQ2_K,   DType::kQ3_K,   DType::kQ4_K, DType::kQ5_K, DType::kQ6_K,
                                        DType::kIQ4_NL, DType::kIQ4_XS, DType::kNF4};

// Any bytes are weights, once the scales are ordinary numbers: so all patterns of quants and packed scales occur.
inline std::vector<uint8_t> random_weights(DType dtype, int64_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  if (!is_quantized(dtype)) {
    std::vector<uint8_t> bytes(static_cast<size_t>(row_bytes(dtype, count)));
    const std::vector<float> values = random_floats(count, seed, 0.1f);
    for (int64_t i = 0; i < count; ++i) {
      if (dtype == DType::kF32) std::memcpy(&bytes[4 * i], &values[i], 4);
      const uint16_t half = dtype == DType::kF16 ? f32_to_f16(values[i]) : f32_to_bf16(values[i]);
      if (dtype != DType::kF32) std::memcpy(&bytes[2 * i], &half, 2);
    }
    return bytes;
  }
  std::vector<uint8_t> bytes(static_cast<size_t>(row_bytes(dtype, count)));
  for (uint8_t& b : bytes) b = static_cast<uint8_t>(generator());
  std::uniform_real_distribution<float> scales(-0.02f, 0.02f);
  for (size_t at = 0; at < bytes.size(); at += dtype_info(dtype).block_bytes) {
    if (dtype == DType::kNF4) {
      const float scale = scales(generator);
      std::memcpy(&bytes[at], &scale, sizeof scale);
      continue;
    }
    for (const int offset : half_offsets(dtype)) {
      const uint16_t half = f32_to_f16(scales(generator));
      std::memcpy(&bytes[at + offset], &half, 2);
    }
  }
  return bytes;
}

// Rows of a block type [N, K] as the kernels read them; other types stay as they are.
inline std::vector<uint8_t> tiled(DType dtype, const std::vector<uint8_t>& rows, int64_t N, int64_t K) {
  if (!is_quantized(dtype)) return rows;
  std::vector<uint8_t> tiles(static_cast<size_t>(quant::tiled_bytes(dtype, N, K)));
  for (int64_t n = 0; n < N; n += quant::kTileRows) {
    quant::pack_tile(dtype, rows.data() + n * row_bytes(dtype, K), std::min(quant::kTileRows, N - n), K,
                     tiles.data() + n * row_bytes(dtype, K));
  }
  return tiles;
}

}  // namespace atelier::kernels
