#include "atelier/generate/prefix_cache.h"

#include <fmt/format.h>

#include <algorithm>

#include "atelier/base/error.h"
#include "atelier/io/sha256.h"

namespace atelier::generate {
namespace {

using nn::kPageTokens;

constexpr int64_t kMinBeginning = 8;  // tokens of a page that are worth copying it

size_t num_common(std::span<const int32_t> a, std::span<const int32_t> b) {
  const size_t limit = std::min(a.size(), b.size());
  return static_cast<size_t>(std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(limit), b.begin()).first - a.begin());
}

std::span<const int32_t> page_tokens(std::span<const int32_t> tokens, int64_t page) {
  const auto begin = static_cast<size_t>(page * kPageTokens);
  return tokens.subspan(begin, std::min(static_cast<size_t>(kPageTokens), tokens.size() - begin));
}

}  // namespace

std::string prefix_root(const std::string& cache_scope, const std::vector<nn::AppliedAdapter>& adapters) {
  std::string text = fmt::format("{} ", adapters.size());
  for (const auto& [adapter, weight] : adapters) text += fmt::format("{} {:a} ", adapter->digest, weight);
  text += cache_scope;
  io::Sha256 hash;
  hash.update(text.data(), text.size());
  return hash.hex_digest();
}

PrefixCache::~PrefixCache() {
  for (const Node& node : nodes_) pool_->release(node.page);
}

PrefixCache::Node* PrefixCache::find_full(const std::vector<Node*>& children, std::span<const int32_t> tokens) const {
  for (Node* child : children) {
    if (std::equal(tokens.begin(), tokens.end(), child->tokens.begin(), child->tokens.end())) return child;
  }
  return nullptr;
}

// The nodes of the leading full pages of `tokens`, as far as they are remembered.
std::vector<PrefixCache::Node*> PrefixCache::walk(const std::string& root, std::span<const int32_t> tokens) const {
  std::vector<Node*> path;
  const auto found = roots_.find(root);
  if (found == roots_.end()) return path;
  const std::vector<Node*>* children = &found->second;
  const auto full = static_cast<int64_t>(tokens.size()) / kPageTokens;
  for (int64_t page = 0; page < full; ++page) {
    Node* node = find_full(*children, page_tokens(tokens, page));
    if (node == nullptr) break;
    path.push_back(node);
    children = &node->children;
  }
  return path;
}

// Leaves are moved to the front first, so that parents stand before their children.
void PrefixCache::touch(std::span<Node* const> path) {
  for (size_t i = path.size(); i-- > 0;) nodes_.splice(nodes_.begin(), nodes_, path[i]->self);
}

void PrefixCache::append_full_pages(const std::string& root, std::span<const int32_t> tokens, int64_t limit, nn::KvCache& cache) {
  ATELIER_CHECK(cache.length() % kPageTokens == 0);
  const std::vector<Node*> path = walk(root, tokens.first(static_cast<size_t>(limit)));
  for (auto page = static_cast<size_t>(cache.length() / kPageTokens); page < path.size(); ++page) {
    cache.append_shared(path[page]->page, kPageTokens);
  }
  touch(path);
}

void PrefixCache::append_page_beginning(const std::string& root, std::span<const int32_t> tokens, int64_t limit, nn::KvCache& cache) {
  const std::vector<Node*> path = walk(root, tokens.first(static_cast<size_t>(cache.length())));
  const auto found = roots_.find(root);
  if (static_cast<int64_t>(path.size()) != cache.length() / kPageTokens || found == roots_.end()) return;
  const std::vector<Node*>& children = path.empty() ? found->second : path.back()->children;
  const std::span<const int32_t> wanted = tokens.first(static_cast<size_t>(limit)).subspan(static_cast<size_t>(cache.length()));
  Node* best = nullptr;
  size_t most = 0;
  for (Node* child : children) {
    const size_t common = num_common(child->tokens, wanted);
    if (common <= most) continue;
    best = child;
    most = common;
  }
  if (static_cast<int64_t>(most) < kMinBeginning) return;
  cache.append_shared(best->page, static_cast<int64_t>(most));
  touch(std::span(&best, 1));
  touch(path);
}

PrefixCache::Node* PrefixCache::add(const std::string& root, Node* parent, std::span<const int32_t> tokens, nn::KvPool::Page page) {
  pool_->share(page);
  const auto at = find_or_add_root(root);
  nodes_.push_front({&at->first, parent, page, {tokens.begin(), tokens.end()}, {}, {}});
  Node& node = nodes_.front();
  node.self = nodes_.begin();
  siblings_of(node).push_back(&node);
  return &node;
}

void PrefixCache::remove(Node& node) {
  ATELIER_CHECK(node.children.empty());
  std::vector<Node*>& siblings = siblings_of(node);
  siblings.erase(std::find(siblings.begin(), siblings.end(), &node));
  if (node.parent == nullptr && siblings.empty()) roots_.erase(*node.root);
  pool_->release(node.page);
  nodes_.erase(node.self);
}

// Pages whose tokens are a beginning of `tokens` have become useless beside a page that holds them all.
void PrefixCache::drop_covered(std::vector<Node*>& children, std::span<const int32_t> tokens) {
  for (size_t i = children.size(); i-- > 0;) {
    Node& child = *children[i];
    if (child.tokens.size() < tokens.size() && num_common(child.tokens, tokens) == child.tokens.size()) remove(child);
  }
}

// The node of the last full page of `cache`; null when it has none.
PrefixCache::Node* PrefixCache::insert_path(const std::string& root, std::span<const int32_t> tokens, nn::KvCache& cache) {
  tokens = tokens.first(static_cast<size_t>(cache.length()));
  std::vector<Node*> path = walk(root, tokens);
  for (size_t page = 0; page < path.size(); ++page) {
    if (cache.pages()[page] != path[page]->page) cache.replace_shared(static_cast<int64_t>(page), path[page]->page);
  }
  for (auto page = static_cast<int64_t>(path.size()); page < cache.length() / kPageTokens; ++page) {
    Node* parent = path.empty() ? nullptr : path.back();
    path.push_back(add(root, parent, page_tokens(tokens, page), cache.pages()[static_cast<size_t>(page)]));
    drop_covered(siblings_of(*path.back()), page_tokens(tokens, page));
  }
  touch(path);
  return path.empty() ? nullptr : path.back();
}

void PrefixCache::insert_full_pages(const std::string& root, std::span<const int32_t> tokens, nn::KvCache& cache) {
  insert_path(root, tokens, cache);
}

void PrefixCache::insert_all_pages(const std::string& root, std::span<const int32_t> tokens, nn::KvCache& cache) {
  Node* parent = insert_path(root, tokens, cache);
  if (cache.length() % kPageTokens == 0) return;
  const std::span<const int32_t> rest = page_tokens(tokens.first(static_cast<size_t>(cache.length())), cache.length() / kPageTokens);
  const auto known = roots_.find(root);
  if (parent != nullptr || known != roots_.end()) {
    for (const Node* child : parent ? parent->children : known->second) {
      if (num_common(child->tokens, rest) == rest.size()) return;  // a page that holds as much is there
    }
  }
  Node* node = add(root, parent, rest, cache.pages().back());
  drop_covered(siblings_of(*node), rest);
  for (Node* above = parent; above != nullptr; above = above->parent) touch(std::span(&above, 1));
}

bool PrefixCache::evict_one() {
  for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
    if (!node->children.empty() || pool_->num_owners(node->page) > 1) continue;
    remove(*node);
    return true;
  }
  return false;
}

int64_t PrefixCache::num_evictable() const {
  return std::count_if(nodes_.begin(), nodes_.end(), [&](const Node& node) { return pool_->num_owners(node.page) == 1; });
}

}  // namespace atelier::generate
