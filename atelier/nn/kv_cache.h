// Keys and values of one sequence: a list of pages of a pool.
//
// Attention always reads keys and values back from here, in the pool's type, so a prompt computed in chunks and a prompt computed at
// once see the same bits. Caches of several sequences may own the same pages (fork(), append_shared()): who writes into a page that
// others own as well takes a copy first, in reserve().
//
// What a decoder attends to of its source is a cache too, on the same pool: written once, whole, and then read (RowRun::source).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "atelier/nn/kv_pool.h"

namespace atelier::nn {

class KvCache {
 public:
  // An empty cache for at most `context` tokens. It takes pages when reserve() is called.
  KvCache(std::shared_ptr<KvPool> pool, int64_t context);
  // The same on a pool of its own, just large enough.
  static Result<KvCache> create(const TransformerSpec& spec, DType dtype, int64_t context);
  static int64_t bytes_for(const TransformerSpec& spec, DType dtype, int64_t context);

  KvCache(KvCache&&) noexcept = default;
  KvCache& operator=(KvCache&&) noexcept;
  ~KvCache();

  int64_t length() const { return length_; }    // tokens stored in every layer
  int64_t context() const { return context_; }  // tokens it may hold
  DType dtype() const { return pool_->layout().dtype; }
  std::span<const KvPool::Page> pages() const { return pages_; }

  // A second cache with the same tokens; both own the pages.
  KvCache fork() const;

  // Appends a page of another owner that holds `tokens` tokens; length() must be a multiple of kPageTokens. This cache owns it as well.
  void append_shared(KvPool::Page page, int64_t tokens);
  // Owns `page`, which holds the same tokens with the same bits, instead of its own page `index`.
  void replace_shared(int64_t index, KvPool::Page page);

  // Pages that reserve() would take for the tokens up to `length`.
  int64_t num_missing_pages(int64_t length) const;
  // Makes room for `rows` tokens behind length(). False when the pool has too few free pages; then nothing has changed.
  bool reserve(int64_t rows);

  void truncate(int64_t length);  // forgets the tokens from `length` on and gives back the pages behind them

  // Writes keys and values ([rows, G, D]) of `layer` behind length(), in room that was reserved;
  // advance() then counts them.
  void write(int64_t layer, const float* k, const float* v, int64_t rows);
  void advance(int64_t rows) { length_ += rows; }

  kernels::KvView view(int64_t layer) const;

 private:
  bool must_copy_last() const;  // the page that the next token goes to has other owners

  std::shared_ptr<KvPool> pool_;
  int64_t context_ = 0, length_ = 0;
  std::vector<KvPool::Page> pages_;
  std::vector<uint8_t*> addresses_;  // of pages_
};

}  // namespace atelier::nn
