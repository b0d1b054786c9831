// Sizes of tensors in files, in checked arithmetic.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/format/checkpoint.h"

namespace atelier::format {

// Product of `shape`; nothing when a dimension is negative or the product passes int64.
std::optional<int64_t> checked_count(std::span<const int64_t> shape);

// Bytes that a tensor of this type and shape takes: an error when the size passes int64 or a row is no whole number of blocks.
Result<int64_t> bytes_of_shape(DType dtype, std::span<const int64_t> shape, const std::string& name);

// An error that names two entries whose bytes overlap. Their data must lie in one allocation.
Status refuse_overlaps(std::span<const TensorEntry> entries);

std::string shape_to_string(std::span<const int64_t> shape);  // "[2, 8]"

}  // namespace atelier::format
