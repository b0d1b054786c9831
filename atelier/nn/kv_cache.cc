#include "atelier/nn/kv_cache.h"

#include <sys/mman.h>

#include <utility>

#include "atelier/base/error.h"
#include "atelier/base/strings.h"

namespace atelier::nn {

Result<KvCache> KvCache::create(const TransformerSpec& spec, DType dtype, int64_t context) {
  if (dtype == DType::kQ8_0 && spec.head_dim % 32 != 0) {
    return Status::invalid("KV cache: q8_0 needs a head width that is a multiple of 32, this model has " + std::to_string(spec.head_dim) +
                           "; use --kv f16");
  }
  KvCache cache;
  cache.dtype_ = dtype;
  cache.context_ = context;
  cache.row_values_ = spec.num_kv_heads * spec.head_dim;
  cache.token_bytes_ = row_bytes(dtype, cache.row_values_);
  cache.layer_bytes_ = (cache.token_bytes_ * context + 63) / 64 * 64;
  cache.mapped_bytes_ = static_cast<size_t>(2 * spec.num_layers() * cache.layer_bytes_);
  void* memory = mmap(nullptr, cache.mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return Status::out_of_range("KV cache: " + human_bytes(cache.mapped_bytes_) + " for a context of " + std::to_string(context) +
                                " tokens cannot be reserved; use a smaller --context or --kv q8_0");
  }
  cache.memory_ = static_cast<uint8_t*>(memory);
  return cache;
}

int64_t KvCache::bytes_for(const TransformerSpec& spec, DType dtype, int64_t context) {
  return 2 * spec.num_layers() * row_bytes(dtype, spec.num_kv_heads * spec.head_dim) * context;
}

KvCache::KvCache(KvCache&& other) noexcept { *this = std::move(other); }

KvCache& KvCache::operator=(KvCache&& other) noexcept {
  if (this == &other) return *this;
  if (memory_ != nullptr) munmap(memory_, mapped_bytes_);
  dtype_ = other.dtype_;
  length_ = other.length_;
  context_ = other.context_;
  row_values_ = other.row_values_;
  token_bytes_ = other.token_bytes_;
  layer_bytes_ = other.layer_bytes_;
  memory_ = std::exchange(other.memory_, nullptr);
  mapped_bytes_ = std::exchange(other.mapped_bytes_, 0);
  return *this;
}

KvCache::~KvCache() {
  if (memory_ != nullptr) munmap(memory_, mapped_bytes_);
}

void KvCache::truncate(int64_t length) {
  ATELIER_CHECK(length >= 0 && length <= length_);
  length_ = length;
}

void KvCache::write(int64_t layer, const float* k, const float* v, int64_t rows) {
  ATELIER_CHECK(length_ + rows <= context_);
  const int64_t offset = length_ * token_bytes_;
  kernels::store(dtype_, k, keys(layer) + offset, rows * row_values_);
  kernels::store(dtype_, v, values(layer) + offset, rows * row_values_);
}

kernels::KvView KvCache::view(int64_t layer) const { return {dtype_, keys(layer), values(layer), token_bytes_}; }

}  // namespace atelier::nn
