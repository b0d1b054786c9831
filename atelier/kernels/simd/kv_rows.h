// Rows of a KV cache, read as vectors of kLanes values: what each element type needs. A Value is float32, or what products take as it is.
#pragma once

#include <cstdint>

namespace atelier::kernels {

template <class S>
struct KvRowsF32 {
  using Value = typename S::F;
  static typename S::F load(const uint8_t* row, int64_t d) { return S::load(reinterpret_cast<const float*>(row) + d); }
  static constexpr int64_t kBytes = 4;  // of a value
};

template <class S>
struct KvRowsF16 {
  using Value = typename S::F;
  static typename S::F load(const uint8_t* row, int64_t d) { return S::load_f16(reinterpret_cast<const uint16_t*>(row) + d); }
  static constexpr int64_t kBytes = 2;
};

// Float16 for products that shorten it to bfloat16 without widening it first.
template <class S>
struct KvRowsHalves {
  using Value = typename S::H;
  static Value load(const uint8_t* row, int64_t d) { return S::load_halves(reinterpret_cast<const uint16_t*>(row) + d); }
  static constexpr int64_t kBytes = 2;
};

// Blocks of 32: a half-float scale and 32 bytes. Rows are whole blocks.
template <class S>
struct KvRowsQ8_0 {
  using Value = typename S::F;
  static typename S::F load(const uint8_t* row, int64_t d) {
    const uint8_t* block = row + d / 32 * 34;
    return S::mul(S::load_i8(block + 2 + d % 32), S::broadcast_f16(block));
  }
  static constexpr int64_t kBytes = 0;  // no part of a vector is ever left
};

// Values d .. d + kLanes - 1 of a row of D, zeros beyond D.
template <class S, class Rows>
inline typename Rows::Value load_kv(const uint8_t* row, int64_t d, int64_t D) {
  if (d + S::kLanes <= D) return Rows::load(row, d);
  if (d >= D) return typename Rows::Value{};
  uint8_t rest[S::kLanes * 4] = {};
  __builtin_memcpy(rest, row + d * Rows::kBytes, (D - d) * Rows::kBytes);
  return Rows::load(rest, 0);
}

}  // namespace atelier::kernels
