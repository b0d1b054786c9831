// Keys and values of one sequence, per layer, in the cache's type.
//
// Pages of KvLayout, one after another. Memory for the whole planned context is reserved at once and touched only as tokens arrive.
// Attention always reads keys and values back from here, so a prompt computed in chunks and a prompt computed at once see the same
// bits.
#pragma once

#include <cstdint>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/kernels/kernels.h"
#include "atelier/nn/kv_layout.h"

namespace atelier::nn {

class KvCache {
 public:
  // dtype: kF32, kF16 or kQ8_0 (which needs D to be a multiple of 32: InvalidArgument otherwise).
  static Result<KvCache> create(const TransformerSpec& spec, DType dtype, int64_t context);
  static int64_t bytes_for(const TransformerSpec& spec, DType dtype, int64_t context);  // whole pages

  KvCache(KvCache&&) noexcept;
  KvCache& operator=(KvCache&&) noexcept;
  ~KvCache();

  int64_t length() const { return length_; }    // tokens stored in every layer
  int64_t context() const { return context_; }  // tokens it can hold
  DType dtype() const { return layout_.dtype; }

  void truncate(int64_t length);  // forgets the tokens from `length` on

  // Writes `rows` keys and values ([rows, G * D], row stride G * D) of `layer` behind length(); advance() then counts them.
  void write(int64_t layer, const float* k, const float* v, int64_t rows);
  void advance(int64_t rows) { length_ += rows; }

  kernels::KvView view(int64_t layer) const;

 private:
  KvCache() = default;

  KvLayout layout_;
  int64_t length_ = 0, context_ = 0;
  uint8_t* memory_ = nullptr;  // anonymous mapping
  size_t mapped_bytes_ = 0;
  std::vector<uint8_t*> pages_;  // in memory_
};

}  // namespace atelier::nn
