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
  cache.layout_ = KvLayout(spec, dtype);
  cache.context_ = context;
  const int64_t num_pages = KvLayout::num_pages(context), page_bytes = cache.layout_.page_bytes();
  cache.mapped_bytes_ = static_cast<size_t>(num_pages * page_bytes);
  void* memory = mmap(nullptr, cache.mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return Status::out_of_range("KV cache: " + human_bytes(cache.mapped_bytes_) + " for a context of " + std::to_string(context) +
                                " tokens cannot be reserved; use a smaller --context or --kv q8_0");
  }
  cache.memory_ = static_cast<uint8_t*>(memory);
  for (int64_t i = 0; i < num_pages; ++i) cache.pages_.push_back(cache.memory_ + i * page_bytes);
  return cache;
}

int64_t KvCache::bytes_for(const TransformerSpec& spec, DType dtype, int64_t context) {
  const KvLayout layout(spec, dtype);
  return KvLayout::num_pages(context) * layout.page_bytes();
}

KvCache::KvCache(KvCache&& other) noexcept { *this = std::move(other); }

KvCache& KvCache::operator=(KvCache&& other) noexcept {
  if (this == &other) return *this;
  if (memory_ != nullptr) munmap(memory_, mapped_bytes_);
  layout_ = other.layout_;
  length_ = other.length_;
  context_ = other.context_;
  memory_ = std::exchange(other.memory_, nullptr);
  mapped_bytes_ = std::exchange(other.mapped_bytes_, 0);
  pages_ = std::move(other.pages_);
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
  kernels::store_kv(view(layer), layout_.num_kv_heads, layout_.head_dim, length_, k, v, rows);
}

kernels::KvView KvCache::view(int64_t layer) const { return layout_.view(layer, pages_.data()); }

}  // namespace atelier::nn
