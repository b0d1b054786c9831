// Element types: plain numbers and the block formats of GGUF files.
//
// A block type stores `block_size` consecutive weights of a row in `block_bytes` bytes; a row's length must be a multiple of the
// block size. Plain types are blocks of one. Identifiers of the weight types are GGUF's (ggml `enum ggml_type`), so that a file's
// number casts to a DType after `dtype_from_gguf` has checked it; from kFirstOwnType on they are types that only memory holds. Layouts:
// docs/formats/quantization.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace atelier {

enum class DType : uint8_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kIQ4_NL = 20,
  kIQ4_XS = 23,
  kI8 = 24,
  kI16 = 25,
  kI32 = 26,
  kI64 = 27,
  kF64 = 28,
  kBF16 = 30,
  kNF4 = 128,
};

inline constexpr uint8_t kFirstOwnType = 128;  // no file has these

struct DTypeInfo {
  DType dtype;
  const char* name;   // as in GGUF tools: "Q4_K", "F32"
  int block_size;     // weights in a block
  int block_bytes;    // bytes of a block
  bool is_quantized;  // a block format of quant/
};

// The row of the table for `dtype`; every enumerator has one.
const DTypeInfo& dtype_info(DType dtype);

inline const char* dtype_name(DType dtype) { return dtype_info(dtype).name; }
inline bool is_quantized(DType dtype) { return dtype_info(dtype).is_quantized; }

// Bytes of `count` consecutive elements. `count` must be a multiple of the block size; the product must not overflow
// (callers that read counts from files use `checked_row_bytes`).
int64_t row_bytes(DType dtype, int64_t count);

// Bytes of a row of `count` elements, or nothing when count is negative, no multiple of the block, or too large for int64.
std::optional<int64_t> checked_row_bytes(DType dtype, int64_t count);

// The DType of a GGUF type id or a name such as "q4_k" (any case); nothing when this build has none.
std::optional<DType> dtype_from_gguf(uint32_t id);
std::optional<DType> dtype_from_name(std::string_view name);

}  // namespace atelier
