#include "atelier/generate/engine_sequence.h"

#include <algorithm>

#include "atelier/base/hash.h"

namespace atelier::generate {
namespace {

using nn::kPageTokens;
using nn::KvLayout;

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

Engine::Sequence::Sequence(RequestId sequence_id, Request request, std::vector<int32_t> read, std::vector<nn::AppliedAdapter> applied,
                           nn::KvCache empty, nn::KvCache empty_source, const tokenize::Tokenizer* tokenizer)
    : id(sequence_id),
      priority(request.priority),
      adapters(std::move(applied)),
      root(prefix_root(request.cache_scope, adapters)),
      answer(request.prompt, std::move(request.options), std::move(request.hooks), tokenizer),
      source(std::move(read)),
      source_cache(std::move(empty_source)),
      cache(std::move(empty)),
      hashes(page_hashes(root, answer.prompt())) {
  answer.generation().num_source = std::ssize(source);
  const GenerateOptions& options = answer.options();
  if (options.beams.num_beams == 1) return;
  const int64_t room = cache.context() - answer.generation().num_prompt + 1;  // the last token of an answer is never run
  const int64_t max_tokens = options.max_tokens < 0 ? room : std::min(room, options.max_tokens);
  search.emplace(options.beams, options.stop_ids, max_tokens, options.rules, answer.text_tokens());
}

int64_t Engine::Sequence::planned_length() const {
  const int64_t max_tokens = answer.options().max_tokens;
  if (max_tokens < 0) return cache.context();
  return std::min(cache.context(), answer.generation().num_prompt + std::max<int64_t>(0, max_tokens - 1));
}

int64_t Engine::Sequence::num_missing_pages() const {
  return num_missing_answer_pages() + source_cache.num_missing_pages(std::ssize(source));
}

int64_t Engine::Sequence::num_missing_answer_pages() const {
  return search ? cache.num_missing_pages(answer.generation().num_prompt) + num_missing_beam_pages()
                : cache.num_missing_pages(planned_length());
}

// All beams read the full pages of the prompt; each may come to have the others for itself. Beams that have pages in common now
// will not have them in common for ever.
int64_t Engine::Sequence::num_missing_beam_pages() const {
  const int64_t num_shared = answer.generation().num_prompt / kPageTokens;
  std::vector<nn::KvPool::Page> owned;
  for (const nn::KvCache& beam : beam_caches) {
    const auto pages = beam.pages().subspan(static_cast<size_t>(num_shared));
    owned.insert(owned.end(), pages.begin(), pages.end());
  }
  std::sort(owned.begin(), owned.end());
  const auto num_owned = std::unique(owned.begin(), owned.end()) - owned.begin();
  return answer.options().beams.num_beams * (KvLayout::num_pages(planned_length()) - num_shared) - num_owned;
}

void Engine::Batch::clear() {
  sequences.clear();
  ids.clear();
  runs.clear();
  logit_rows.clear();
  prompts.clear();
  demands.clear();
}

void Engine::Batch::start(Sequence& sequence, int64_t num_rows, int64_t num_logit_rows) {
  sequence.num_rows = num_rows;
  sequence.num_logit_rows = num_logit_rows;
  sequence.first_logit_row = logit_rows.size();
  sequences.push_back(&sequence);
  const int64_t end = static_cast<int64_t>(ids.size()) + num_rows;
  for (int64_t row = end - num_logit_rows; row < end; ++row) logit_rows.push_back(row);
}

void Engine::Batch::add_run(const Sequence& sequence, nn::KvCache& cache, int64_t num_rows) {
  const nn::KvCache* source = sequence.source.empty() ? nullptr : &sequence.source_cache;
  runs.push_back({.cache = &cache, .num_rows = num_rows, .adapters = sequence.adapters, .source = source});
}

void Engine::Batch::add_answer(Sequence& sequence) {
  const auto num_rows = static_cast<int64_t>(sequence.drafts.size()) + 1;
  start(sequence, num_rows, num_rows);
  append(sequence.tokens().last(1));
  append(sequence.drafts);
  add_run(sequence, sequence.cache, num_rows);
}

void Engine::Batch::add_prompt(Sequence& sequence, int64_t rows, int64_t num_logit_rows) {
  start(sequence, rows, num_logit_rows);
  append(sequence.tokens().subspan(static_cast<size_t>(sequence.cache.length()), static_cast<size_t>(rows)));
  add_run(sequence, sequence.cache, rows);
}

void Engine::Batch::add_beams(Sequence& sequence) {
  const auto beams = sequence.search->running();
  start(sequence, static_cast<int64_t>(beams.size()), static_cast<int64_t>(beams.size()));
  for (size_t i = 0; i < beams.size(); ++i) {
    ids.push_back(beams[i].tokens.back());
    add_run(sequence, sequence.beam_caches[i], 1);
  }
}

}  // namespace atelier::generate
