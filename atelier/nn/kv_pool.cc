#include "atelier/nn/kv_pool.h"

#include "atelier/base/error.h"
#include "atelier/io/anonymous_memory.h"

namespace atelier::nn {

Status check_kv_type(const TransformerSpec& spec, DType dtype) {
  if (dtype != DType::kQ8_0 || spec.head_dim % 32 == 0) return {};
  return Status::invalid("KV cache: q8_0 needs a head width that is a multiple of 32, this model has " + std::to_string(spec.head_dim) +
                         "; use --kv f16");
}

Result<std::shared_ptr<KvPool>> KvPool::create(const TransformerSpec& spec, DType dtype, int64_t num_pages) {
  ATELIER_RETURN_IF_ERROR(check_kv_type(spec, dtype));
  std::shared_ptr<KvPool> pool(new KvPool());
  pool->layout_ = KvLayout(spec, dtype);
  ATELIER_TRY(pool->memory_, io::map_anonymous(num_pages * pool->layout_.page_bytes(),
                                               "KV cache for " + std::to_string(num_pages * kPageTokens) + " tokens",
                                               "use a smaller --context or --kv q8_0"));
  pool->num_pages_ = num_pages;
  return pool;
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
