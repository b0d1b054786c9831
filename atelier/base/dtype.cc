#include "atelier/base/dtype.h"

#include <limits>

#include "atelier/base/error.h"
#include "atelier/base/strings.h"

namespace atelier {
namespace {

constexpr DTypeInfo kInfos[] = {
    {DType::kF32, "F32", 1, 4, false},        {DType::kF16, "F16", 1, 2, false},          {DType::kQ4_0, "Q4_0", 32, 18, true},
    {DType::kQ4_1, "Q4_1", 32, 20, true},     {DType::kQ5_0, "Q5_0", 32, 22, true},       {DType::kQ5_1, "Q5_1", 32, 24, true},
    {DType::kQ8_0, "Q8_0", 32, 34, true},     {DType::kQ2_K, "Q2_K", 256, 84, true},      {DType::kQ3_K, "Q3_K", 256, 110, true},
    {DType::kQ4_K, "Q4_K", 256, 144, true},   {DType::kQ5_K, "Q5_K", 256, 176, true},     {DType::kQ6_K, "Q6_K", 256, 210, true},
    {DType::kIQ4_NL, "IQ4_NL", 32, 18, true}, {DType::kIQ4_XS, "IQ4_XS", 256, 136, true}, {DType::kI8, "I8", 1, 1, false},
    {DType::kI16, "I16", 1, 2, false},        {DType::kI32, "I32", 1, 4, false},          {DType::kI64, "I64", 1, 8, false},
    {DType::kF64, "F64", 1, 8, false},        {DType::kBF16, "BF16", 1, 2, false},        {DType::kNF4, "NF4", 64, 36, true},
};

}  // namespace

const DTypeInfo& dtype_info(DType dtype) {
  for (const DTypeInfo& info : kInfos) {
    if (info.dtype == dtype) return info;
  }
  throw InternalError("dtype " + std::to_string(static_cast<int>(dtype)) + " has no row in the table");
}

int64_t row_bytes(DType dtype, int64_t count) {
  const DTypeInfo& info = dtype_info(dtype);
  ATELIER_CHECK(count % info.block_size == 0);
  return count / info.block_size * info.block_bytes;
}

std::optional<int64_t> checked_row_bytes(DType dtype, int64_t count) {
  const DTypeInfo& info = dtype_info(dtype);
  if (count < 0 || count % info.block_size != 0) return std::nullopt;
  const int64_t blocks = count / info.block_size;
  if (blocks > std::numeric_limits<int64_t>::max() / info.block_bytes) return std::nullopt;
  return blocks * info.block_bytes;
}

std::optional<DType> dtype_from_gguf(uint32_t id) {
  if (id >= kFirstOwnType) return std::nullopt;
  for (const DTypeInfo& info : kInfos) {
    if (static_cast<uint32_t>(info.dtype) == id) return info.dtype;
  }
  return std::nullopt;
}

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const DTypeInfo& info : kInfos) {
    if (equals_ignoring_case(info.name, name)) return info.dtype;
  }
  return std::nullopt;
}

}  // namespace atelier
