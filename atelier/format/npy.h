// NumPy's files: .npy, version 1.0 (a header as a Python literal, then little-endian values in C order), and .npz, several of them in
// an uncompressed zip archive.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "atelier/base/status.h"

namespace atelier::format {

// Writes `data` as an array of `shape` (its product is data.size()), atomically.
Status write_npy(const std::string& path, std::span<const float> data, std::span<const int64_t> shape);

// One array of an .npz file: float32 or int64 values.
struct NpzArray {
  std::string name;
  std::variant<std::span<const float>, std::span<const int64_t>> data;
  std::vector<int64_t> shape;
};

// Writes the arrays as numpy.savez does, atomically. An array beyond 4 GiB is an error: the plain archive has no larger ones.
Status write_npz(const std::string& path, std::span<const NpzArray> arrays);

}  // namespace atelier::format
