// SHA-256 (FIPS 180-4), to check downloaded weights. Plain C++, about 200-400 MB/s: a file of that size is read from disk no faster.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "atelier/base/status.h"

namespace atelier::io {

class Sha256 {
 public:
  void update(const void* data, size_t count);
  std::string hex_digest();  // 64 lower-case digits; ends the computation

 private:
  void compress(const uint8_t* block);

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> pending_{};  // the first num_pending_ bytes of the next block
  size_t num_pending_ = 0;
  uint64_t num_bytes_ = 0;
};

Result<std::string> sha256_of_file(const std::string& path);

}  // namespace atelier::io
