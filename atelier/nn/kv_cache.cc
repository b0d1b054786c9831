#include "atelier/nn/kv_cache.h"

#include <algorithm>
#include <cstring>

#include "atelier/base/error.h"

namespace atelier::nn {

KvCache::KvCache(std::shared_ptr<KvPool> pool, int64_t context) : pool_(std::move(pool)), context_(context) {
  pages_.reserve(static_cast<size_t>(KvLayout::num_pages(context)));
  addresses_.reserve(static_cast<size_t>(KvLayout::num_pages(context)));
}

Result<KvCache> KvCache::create(const TransformerSpec& spec, DType dtype, int64_t context) {
  ATELIER_TRY(auto pool, KvPool::create(spec, dtype, KvLayout::num_pages(context)));
  return KvCache(std::move(pool), context);
}

int64_t KvCache::bytes_for(const TransformerSpec& spec, DType dtype, int64_t context) {
  return KvLayout::num_pages(context) * KvLayout(spec, dtype).page_bytes();
}

KvCache& KvCache::operator=(KvCache&& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(context_, other.context_);
  std::swap(length_, other.length_);
  std::swap(pages_, other.pages_);
  std::swap(addresses_, other.addresses_);
  return *this;
}

KvCache::~KvCache() {
  for (const KvPool::Page page : pages_) pool_->release(page);
}

KvCache KvCache::fork() const {
  KvCache copy(pool_, context_);
  copy.length_ = length_;
  for (const KvPool::Page page : pages_) {
    pool_->share(page);
    copy.pages_.push_back(page);
    copy.addresses_.push_back(pool_->data(page));
  }
  return copy;
}

void KvCache::append_shared(KvPool::Page page, int64_t tokens) {
  ATELIER_CHECK(length_ == static_cast<int64_t>(pages_.size()) * kPageTokens && tokens <= kPageTokens && length_ + tokens <= context_);
  pool_->share(page);
  pages_.push_back(page);
  addresses_.push_back(pool_->data(page));
  length_ += tokens;
}

void KvCache::replace_shared(int64_t index, KvPool::Page page) {
  pool_->share(page);
  pool_->release(std::exchange(pages_[static_cast<size_t>(index)], page));
  addresses_[static_cast<size_t>(index)] = pool_->data(page);
}

bool KvCache::must_copy_last() const {
  return length_ % kPageTokens != 0 && pool_->num_owners(pages_[static_cast<size_t>(length_ / kPageTokens)]) > 1;
}

int64_t KvCache::num_missing_pages(int64_t length) const {
  const int64_t missing = std::max<int64_t>(0, KvLayout::num_pages(length) - static_cast<int64_t>(pages_.size()));
  return missing + (length > length_ && must_copy_last() ? 1 : 0);
}

bool KvCache::reserve(int64_t rows) {
  ATELIER_CHECK(length_ + rows <= context_);
  if (num_missing_pages(length_ + rows) > pool_->num_free()) return false;
  if (rows > 0 && must_copy_last()) {
    const auto last = static_cast<size_t>(length_ / kPageTokens);
    const KvPool::Page copy = *pool_->take();
    std::memcpy(pool_->data(copy), addresses_[last], static_cast<size_t>(pool_->layout().page_bytes()));
    pool_->release(std::exchange(pages_[last], copy));
    addresses_[last] = pool_->data(copy);
  }
  while (static_cast<int64_t>(pages_.size()) < KvLayout::num_pages(length_ + rows)) {
    pages_.push_back(*pool_->take());
    addresses_.push_back(pool_->data(pages_.back()));
  }
  return true;
}

void KvCache::truncate(int64_t length) {
  ATELIER_CHECK(length >= 0 && length <= length_);
  length_ = length;
  while (static_cast<int64_t>(pages_.size()) > KvLayout::num_pages(length)) {
    pool_->release(pages_.back());
    pages_.pop_back();
    addresses_.pop_back();
  }
}

void KvCache::write(int64_t layer, const float* k, const float* v, int64_t rows) {
  ATELIER_CHECK(length_ + rows <= static_cast<int64_t>(pages_.size()) * kPageTokens);
  const KvLayout& layout = pool_->layout();
  kernels::store_kv(view(layer), layout.num_kv_heads, layout.head_dim, length_, k, v, rows);
}

kernels::KvView KvCache::view(int64_t layer) const { return pool_->layout().view(layer, addresses_.data()); }

}  // namespace atelier::nn
