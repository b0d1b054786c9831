// Keys and values of prompts and answers that have been computed, kept for requests that begin alike.
//
// A tree of pages: below a root (one per scope and adapter) each node holds one page and its tokens, below the node of the tokens before
// it. A page is found by all the tokens that lead to it, compared one by one, so no collision of a hash can ever mix two texts up.
// Full pages are shared as they are; a page that agrees in its beginning only (the last page of a conversation, a prompt that
// was edited) is shared too and copied by who writes into it (nn/kv_cache.h).
//
// The cache owns its pages beside the sequences that use them. When a sequence needs a page and none is free, the least recently used
// page that no sequence owns is given up, leaves first.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "atelier/nn/adapter.h"
#include "atelier/nn/kv_cache.h"

namespace atelier::generate {

// The name of the root under which a request's pages stand: a SHA-256 of its cache scope (which may be a secret, such as an API key),
// its adapters' digests and weights. Model, KV type and rotary plan are the cache's own: it serves one pool of one model.
std::string prefix_root(const std::string& cache_scope, const std::vector<nn::AppliedAdapter>& adapters);

class PrefixCache {
 public:
  explicit PrefixCache(std::shared_ptr<nn::KvPool> pool) : pool_(std::move(pool)) {}
  PrefixCache(const PrefixCache&) = delete;
  PrefixCache& operator=(const PrefixCache&) = delete;
  ~PrefixCache();

  // Appends to `cache` the remembered full pages of tokens [cache.length(), limit). cache.length() must be whole pages.
  void append_full_pages(const std::string& root, std::span<const int32_t> tokens, int64_t limit, nn::KvCache& cache);
  // After that: the beginning of one more page, when that is worth the copy.
  void append_page_beginning(const std::string& root, std::span<const int32_t> tokens, int64_t limit, nn::KvCache& cache);

  // Remembers the full pages of `cache`, which holds the first cache.length() of `tokens`. Where the same tokens are remembered
  // already, `cache` takes over those pages and its own become free.
  void insert_full_pages(const std::string& root, std::span<const int32_t> tokens, nn::KvCache& cache);
  // The same and the last page, which is full in part.
  void insert_all_pages(const std::string& root, std::span<const int32_t> tokens, nn::KvCache& cache);

  // Gives up one page. False when all are in use by sequences.
  bool evict_one();
  int64_t num_pages() const { return static_cast<int64_t>(nodes_.size()); }
  int64_t num_evictable() const;

  // To and from a file (docs/formats/prefix-cache.md). `identity` names everything that the bits of a page depend on; a file of another
  // identity is refused. restore() adds the most recently used pages that fit. A damaged file adds nothing.
  Status save(const std::string& path, const std::string& identity) const;
  Status restore(const std::string& path, const std::string& identity);

 private:
  struct Node {
    const std::string* root;  // key of roots_
    Node* parent;             // null below the root
    nn::KvPool::Page page;
    std::vector<int32_t> tokens;  // 1 … kPageTokens; only full pages have children
    std::vector<Node*> children;
    std::list<Node>::iterator self;  // in nodes_
  };
  using Roots = std::map<std::string, std::vector<Node*>>;

  Roots::iterator find_or_add_root(const std::string& root) { return roots_.try_emplace(root).first; }
  std::vector<Node*>& siblings_of(const Node& node) { return node.parent ? node.parent->children : roots_.at(*node.root); }
  Node* find_full(const std::vector<Node*>& children, std::span<const int32_t> tokens) const;
  std::vector<Node*> walk(const std::string& root, std::span<const int32_t> tokens) const;
  Node* add(const std::string& root, Node* parent, std::span<const int32_t> tokens, nn::KvPool::Page page);
  void remove(Node& node);
  void drop_covered(std::vector<Node*>& children, std::span<const int32_t> tokens);
  void touch(std::span<Node* const> path);
  Node* insert_path(const std::string& root, std::span<const int32_t> tokens, nn::KvCache& cache);

  std::shared_ptr<nn::KvPool> pool_;
  std::list<Node> nodes_;  // most recently used first; parents before their children
  Roots roots_;
};

}  // namespace atelier::generate
