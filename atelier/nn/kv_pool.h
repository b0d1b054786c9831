// Memory for the keys and values of many sequences, in pages.
//
// A page holds what kPageTokens consecutive tokens of one sequence have in all layers (nn/kv_layout.h). Pages have owners, which are
// counted: the sequences that read them and the prefix cache. A page with several owners is never written (nn/kv_cache.h copies
// it first), so a shared page never changes.
//
// The whole budget is one anonymous mapping, reserved at once and touched only as pages are taken; freed pages are taken again first,
// so that the resident set is what was needed at most. Used by the owner thread alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/nn/kv_layout.h"

namespace atelier::nn {

inline constexpr int64_t kPageTokens = kernels::kKeyTile;

// kF32, kF16 or kQ8_0, which needs D to be a multiple of 32: InvalidArgument otherwise.
Status check_kv_type(const TransformerSpec& spec, DType dtype);

class KvPool {
 public:
  using Page = int32_t;  // 0 … num_pages() - 1

  // dtype: as check_kv_type.
  static Result<std::shared_ptr<KvPool>> create(const TransformerSpec& spec, DType dtype, int64_t num_pages);

  const KvLayout& layout() const { return layout_; }
  int64_t num_pages() const { return num_pages_; }
  int64_t num_free() const { return num_pages_ - num_fresh_ + static_cast<int64_t>(freed_.size()); }
  std::optional<Page> take();  // a page with one owner and any contents; nothing when all are taken
  void share(Page page);       // one owner more
  void release(Page page);     // one owner less; without owners it is free
  int32_t num_owners(Page page) const { return owners_[static_cast<size_t>(page)]; }

  uint8_t* data(Page page) { return memory_.get() + page * layout_.page_bytes(); }
  const uint8_t* data(Page page) const { return memory_.get() + page * layout_.page_bytes(); }

 private:
  KvPool() = default;

  KvLayout layout_;
  int64_t num_pages_ = 0;
  int64_t num_fresh_ = 0;        // pages [0, num_fresh_) have been taken at least once
  std::vector<Page> freed_;      // of those, the free ones, taken from the end
  std::vector<int32_t> owners_;  // [num_fresh_]
  std::shared_ptr<uint8_t> memory_;
};

}  // namespace atelier::nn
