#include "atelier/quant/quant.h"

#include <cstring>
#include <string>

#include "atelier/base/error.h"
#include "atelier/base/half.h"

namespace atelier::quant {
namespace {

// Applies `convert` to every element; memory need not be aligned for In or Out.
template <typename In, typename Out, typename Convert>
void convert_each(const void* src, void* dst, int64_t count, Convert convert) {
  for (int64_t i = 0; i < count; ++i) {
    In in;
    std::memcpy(&in, static_cast<const char*>(src) + i * static_cast<int64_t>(sizeof in), sizeof in);
    const Out out = convert(in);
    std::memcpy(static_cast<char*>(dst) + i * static_cast<int64_t>(sizeof out), &out, sizeof out);
  }
}

}  // namespace

const BlockFormat& block_format(DType dtype) {
  for (const BlockFormat* format : block_formats()) {
    if (format->dtype == dtype) return *format;
  }
  throw InternalError(std::string("dtype ") + dtype_name(dtype) + " has no block format");
}

void to_f32(DType dtype, const void* src, float* dst, int64_t count) {
  ATELIER_CHECK(count >= 0 && count % dtype_info(dtype).block_size == 0);
  switch (dtype) {
    case DType::kF32:
      if (count > 0) std::memcpy(dst, src, static_cast<size_t>(count) * sizeof(float));
      return;
    case DType::kF64:
      return convert_each<double, float>(src, dst, count, [](double d) { return static_cast<float>(d); });
    case DType::kF16:
      return convert_each<uint16_t, float>(src, dst, count, f16_to_f32);
    case DType::kBF16:
      return convert_each<uint16_t, float>(src, dst, count, bf16_to_f32);
    default:
      return block_format(dtype).unpack(static_cast<const uint8_t*>(src), dst, count / dtype_info(dtype).block_size);
  }
}

void from_f32(DType dtype, const float* src, void* dst, int64_t count, const float* importance) {
  ATELIER_CHECK(can_pack(dtype) && count >= 0 && count % dtype_info(dtype).block_size == 0);
  switch (dtype) {
    case DType::kF32:
      if (count > 0) std::memcpy(dst, src, static_cast<size_t>(count) * sizeof(float));
      return;
    case DType::kF16:
      return convert_each<float, uint16_t>(src, dst, count, f32_to_f16);
    case DType::kBF16:
      return convert_each<float, uint16_t>(src, dst, count, f32_to_bf16);
    default:
      return block_format(dtype).pack(src, importance, static_cast<uint8_t*>(dst), count / dtype_info(dtype).block_size);
  }
}

bool can_pack(DType dtype) {
  if (dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16) return true;
  return is_quantized(dtype) && block_format(dtype).pack != nullptr;
}

}  // namespace atelier::quant
