// A hash of short strings, eight bytes at a time; for tables in memory, not for files.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace atelier::tokenize {

// Mixes every bit of `value` into every bit of the result (the finaliser of MurmurHash3, A. Appleby).
inline uint64_t mix_bits(uint64_t value) {
  value = (value ^ (value >> 33)) * 0xFF51AFD7ED558CCDu;
  value = (value ^ (value >> 33)) * 0xC4CEB9FE1A85EC53u;
  return value ^ (value >> 33);
}

inline uint64_t hash_bytes(std::string_view bytes) {
  uint64_t hash = 0x9E3779B97F4A7C15u ^ bytes.size();
  for (; bytes.size() > sizeof hash; bytes.remove_prefix(sizeof hash)) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), sizeof word);
    hash = mix_bits(hash ^ word);
  }
  uint64_t last = 0;
  std::memcpy(&last, bytes.data(), bytes.size());
  return mix_bits(hash ^ last);
}

}  // namespace atelier::tokenize
