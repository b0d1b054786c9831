// NumPy .npy files, version 1.0: a header as a Python literal, then little-endian f32 in C order.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "atelier/base/status.h"

namespace atelier::format {

// Writes `data` as an array of `shape` (its product is data.size()), atomically.
Status write_npy(const std::string& path, std::span<const float> data, std::span<const int64_t> shape);

}  // namespace atelier::format
