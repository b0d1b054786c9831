#include "atelier/nn/kv_pool.h"

#include <sys/mman.h>

#include "atelier/base/error.h"
#include "atelier/base/strings.h"

namespace atelier::nn {

Result<std::shared_ptr<KvPool>> KvPool::create(const TransformerSpec& spec, DType dtype, int64_t num_pages) {
  if (dtype == DType::kQ8_0 && spec.head_dim % 32 != 0) {
    return Status::invalid("KV cache: q8_0 needs a head width that is a multiple of 32, this model has " + std::to_string(spec.head_dim) +
                           "; use --kv f16");
  }
  std::shared_ptr<KvPool> pool(new KvPool());
  pool->layout_ = KvLayout(spec, dtype);
  const auto bytes = static_cast<size_t>(num_pages * pool->layout_.page_bytes());
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return Status::out_of_range("KV cache: " + human_bytes(bytes) + " for " + std::to_string(num_pages * kPageTokens) +
                                " tokens cannot be reserved; use a smaller --context or --kv q8_0");
  }
  pool->num_pages_ = num_pages;
  pool->memory_ = static_cast<uint8_t*>(memory);
  return pool;
}

KvPool::~KvPool() {
  if (memory_ != nullptr) munmap(memory_, static_cast<size_t>(num_pages_ * layout_.page_bytes()));
}

std::optional<KvPool::Page> KvPool::take() {
  if (!freed_.empty()) {
    const Page page = freed_.back();
    freed_.pop_back();
    owners_[static_cast<size_t>(page)] = 1;
    return page;
  }
  if (num_fresh_ == num_pages_) return std::nullopt;
  owners_.push_back(1);
  return static_cast<Page>(num_fresh_++);
}

void KvPool::share(Page page) {
  ATELIER_CHECK(num_owners(page) > 0);
  ++owners_[static_cast<size_t>(page)];
}

void KvPool::release(Page page) {
  ATELIER_CHECK(num_owners(page) > 0);
  if (--owners_[static_cast<size_t>(page)] == 0) freed_.push_back(page);
}

}  // namespace atelier::nn
