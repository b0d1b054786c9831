// A fast 64-bit hash of bytes: XXH64 (Yann Collet, xxHash specification 0.1.1). Finds equal contents and damaged files; it keeps no
// secrets and resists no attacker (io/sha256.h does).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace atelier {

uint64_t hash_bytes(std::span<const uint8_t> bytes, uint64_t seed = 0);

// Of the memory of `values`, a type without padding.
template <typename T>
uint64_t hash_values(std::span<const T> values, uint64_t seed = 0) {
  return hash_bytes({reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()}, seed);
}

}  // namespace atelier
