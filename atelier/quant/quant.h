// Block formats of weights on raw pointers: unpack, pack, error bounds. Scalar reference code; fast products live in kernels/.
//
// A format is one file in quant/formats/ that exports one `const BlockFormat format_<name>`; CMake writes the table
// (`block_formats()`). Layouts are bit-exact with ggml's (docs/formats/quantization.md, ggml src/ggml-common.h), but for NF4, which no file
// has.
#pragma once

#include <cstdint>
#include <span>

#include "atelier/base/dtype.h"

namespace atelier::quant {

struct BlockFormat {
  DType dtype;
  const char* summary;  // one line for `atelier list quantizations`

  // Unpacks `blocks` blocks at `src` into blocks * block_size floats. Never fails: any bit pattern is a number, perhaps not finite.
  void (*unpack)(const uint8_t* src, float* dst, int64_t blocks);

  // Packs blocks * block_size finite floats. `importance` holds one non-negative weight per value (the mean square of the
  // activation that meets it), or is null. Null when the format is read-only (IQ4).
  void (*pack)(const float* src, const float* importance, uint8_t* dst, int64_t blocks);

  // Largest root-mean-square error of pack + unpack on standard normal values: what the tests hold it to.
  double max_rms_error;

  // What integer products take blocks for where levels are no whole numbers; null: what `unpack` gives.
  void (*unpack_rounded)(const uint8_t* src, float* dst, int64_t blocks) = nullptr;
};

// Every format, by GGUF id.
std::span<const BlockFormat* const> block_formats();

// The format of a quantized dtype; InternalError when it has none.
const BlockFormat& block_format(DType dtype);

// `count` elements of any float or block type as f32, and back. Counts are multiples of the block size. F32, F16 and BF16 included.
void to_f32(DType dtype, const void* src, float* dst, int64_t count);
void from_f32(DType dtype, const float* src, void* dst, int64_t count, const float* importance = nullptr);

// True when `from_f32` can write this type.
bool can_pack(DType dtype);

}  // namespace atelier::quant
