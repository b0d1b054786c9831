// Tiles of a KV cache (kernels/kv_tile.h), read as the words of products P: what each element type needs.
//
// load_keys and load_values bring the inputs 2 pair and 2 pair + 1 of a sum (columns of a key, tokens of a value) for kLanes keys from s
// on, or columns from d on: as one word of both, or as two words of one.
#pragma once

#include <cstdint>

#include "atelier/kernels/table.h"

namespace atelier::kernels {

template <class S, class P>
class KvTileF32 {
 public:
  using F = typename S::F;
  static constexpr bool kHasWords = P::kInputsPerStep == 1;  // they lie in memory as they do in a panel
  static constexpr bool kIsFinite = false;                   // whatever the memory holds, words are numbers

  KvTileF32() = default;
  KvTileF32(const uint8_t* keys, const uint8_t* values, int64_t width)
      : keys_(reinterpret_cast<const float*>(keys)), values_(reinterpret_cast<const float*>(values)), width_(width) {}

  const float* keys() const { return keys_; }
  const float* values() const { return values_; }
  void load_keys(int64_t pair, int64_t s, F* words) const { load(keys_ + 2 * pair * kKeyTile + s, kKeyTile, words); }
  void load_values(int64_t pair, int64_t d, F* words) const { load(values_ + 2 * pair * width_ + d, width_, words); }

 private:
  static void load(const float* p, int64_t stride, F* words) {
    const F inputs[2] = {S::load(p), S::load(p + stride)};
    for (int64_t i = 0; i < 2 / P::kInputsPerStep; ++i) words[i] = P::combine(inputs + i);
  }

  const float* keys_ = nullptr;
  const float* values_ = nullptr;
  int64_t width_ = 0;
};

template <class S, class P>
class KvTileF16 {
 public:
  using F = typename S::F;
  static constexpr bool kHasWords = false;
  static constexpr bool kIsFinite = P::kInputsPerStep == 2;

  KvTileF16() = default;
  KvTileF16(const uint8_t* keys, const uint8_t* values, int64_t width)
      : keys_(reinterpret_cast<const uint16_t*>(keys)), values_(reinterpret_cast<const uint16_t*>(values)), width_(width) {}

  void load_keys(int64_t pair, int64_t s, F* words) const { P::load_f16(keys_ + 2 * (pair * kKeyTile + s), words); }
  void load_values(int64_t pair, int64_t d, F* words) const { P::load_f16(values_ + 2 * (pair * width_ + d), words); }

 private:
  const uint16_t* keys_ = nullptr;
  const uint16_t* values_ = nullptr;
  int64_t width_ = 0;
};

// Products of whole numbers take the bytes as they are, and the scales where they add up; the others multiply both at once.
template <class S, class P>
class KvTileQ8_0 {
 public:
  using F = typename S::F;
  static constexpr bool kHasWords = false;
  static constexpr bool kIsFinite = false;

  KvTileQ8_0() = default;
  KvTileQ8_0(const uint8_t* keys, const uint8_t* values, int64_t width) : keys_(keys), values_(values), width_(width) {}

  void load_keys(int64_t pair, int64_t s, F* words) const {
    P::load_i8(keys_ + 2 * (pair * kKeyTile + s), words);
    if constexpr (!P::kHasScales) {
      const F scale = key_scales(pair / kPairs, s);
      for (int i = 0; i < 2; ++i) words[i] = S::mul(words[i], scale);
    }
  }
  void load_values(int64_t pair, int64_t d, F* words) const {
    P::load_i8(values_ + 2 * (pair * width_ + d), words);
    if constexpr (!P::kHasScales) {
      const uint16_t* scales = scales_of(values_, d / kBlock) + 2 * pair;
      for (int i = 0; i < 2; ++i) words[i] = S::mul(words[i], S::broadcast_f16(scales + i));
    }
  }
  // Scales of block `block` of the columns, for keys or values from s on.
  F key_scales(int64_t block, int64_t s) const { return S::load_f16(scales_of(keys_, block) + s); }
  F value_scales(int64_t block, int64_t s) const { return S::load_f16(scales_of(values_, block) + s); }

 private:
  static constexpr int64_t kBlock = 32, kPairs = kBlock / 2;

  const uint16_t* scales_of(const uint8_t* tile, int64_t block) const {
    return reinterpret_cast<const uint16_t*>(tile + kKeyTile * width_) + block * kKeyTile;
  }

  const uint8_t* keys_ = nullptr;
  const uint8_t* values_ = nullptr;
  int64_t width_ = 0;
};

}  // namespace atelier::kernels
