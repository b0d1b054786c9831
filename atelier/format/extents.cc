#include "atelier/format/extents.h"

#include <algorithm>

#include "atelier/base/strings.h"

namespace atelier::format {

std::optional<int64_t> checked_count(std::span<const int64_t> shape) {
  int64_t count = 1;
  for (const int64_t dim : shape) {
    if (dim < 0 || __builtin_mul_overflow(count, dim, &count)) return std::nullopt;
  }
  return count;
}

Result<int64_t> bytes_of_shape(DType dtype, std::span<const int64_t> shape, const std::string& name) {
  const auto too_large = [&] {
    return Status::corrupt("tensor " + quoted(name) + " of shape " + shape_to_string(shape) + " is larger than any file");
  };
  const auto count = checked_count(shape);
  if (!count) return too_large();
  const DTypeInfo& info = dtype_info(dtype);
  if ((shape.empty() ? 1 : shape.back()) % info.block_size != 0) {
    return Status::corrupt("tensor " + quoted(name) + " of shape " + shape_to_string(shape) + " has rows that are no whole blocks of " +
                           info.name + " (" + std::to_string(info.block_size) + ")");
  }
  const auto bytes = checked_row_bytes(dtype, *count);
  if (!bytes) return too_large();
  return *bytes;
}

Status refuse_overlaps(std::span<const TensorEntry> entries) {
  const auto address = [](const TensorEntry* entry) { return static_cast<const uint8_t*>(entry->data); };
  std::vector<const TensorEntry*> sorted;
  for (const TensorEntry& entry : entries) {
    if (entry.bytes > 0) sorted.push_back(&entry);
  }
  std::sort(sorted.begin(), sorted.end(), [&](const TensorEntry* a, const TensorEntry* b) { return address(a) < address(b); });
  for (size_t i = 1; i < sorted.size(); ++i) {
    if (address(sorted[i - 1]) + sorted[i - 1]->bytes > address(sorted[i])) {
      return Status::corrupt("tensors " + quoted(sorted[i - 1]->name) + " and " + quoted(sorted[i]->name) + " overlap");
    }
  }
  return Status::ok_status();
}

std::string shape_to_string(std::span<const int64_t> shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

}  // namespace atelier::format
