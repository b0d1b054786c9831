#include "atelier/generate/engine_sequence.h"

#include <algorithm>

#include "atelier/base/hash.h"

namespace atelier::generate {
namespace {

using nn::kPageTokens;

// Of each full page of the prompt, a hash of all tokens up to its end: equal for prompts that begin alike.
std::vector<uint64_t> page_hashes(const std::string& root, std::span<const int32_t> prompt) {
  std::vector<uint64_t> hashes;
  uint64_t hash = hash_values(std::span<const char>(root));
  for (size_t end = kPageTokens; end <= prompt.size(); end += kPageTokens) {
    hash = hash_values(prompt.subspan(end - kPageTokens, kPageTokens), hash);
    hashes.push_back(hash);
  }
  return hashes;
}

}  // namespace

Engine::Sequence::Sequence(RequestId sequence_id, Request request, nn::KvCache empty, const tokenize::Tokenizer* tokenizer)
    : id(sequence_id),
      priority(request.priority),
      root(prefix_root(request.cache_scope, request.adapter)),
      answer(request.prompt, std::move(request.options), std::move(request.hooks), tokenizer),
      cache(std::move(empty)),
      hashes(page_hashes(root, answer.prompt())) {}

int64_t Engine::Sequence::planned_length() const {
  const int64_t max_tokens = answer.options().max_tokens;
  if (max_tokens < 0) return cache.context();
  return std::min(cache.context(), answer.generation().num_prompt + std::max<int64_t>(0, max_tokens - 1));
}

}  // namespace atelier::generate
