// Which request runs next, whether its memory can be had, and what it finds computed already.
#include <algorithm>

#include "atelier/generate/engine_sequence.h"

namespace atelier::generate {
namespace {

using nn::kPageTokens;

constexpr int64_t kStepsPerPriority = 64;  // a request that has waited this long stands one priority higher

}  // namespace

// The waiting request of the highest priority, of equal ones the oldest; waiting raises it.
Engine::Sequences::iterator Engine::next_waiting() {
  const auto rank = [&](const std::unique_ptr<Sequence>& sequence) {
    return sequence->priority + (metrics_.steps - sequence->queued_at_step) / kStepsPerPriority;
  };
  return std::max_element(waiting_.begin(), waiting_.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
}

// True when the pages that all running sequences and `sequence` may still take can be had.
bool Engine::fits(const Sequence& sequence) const {
  int64_t needed = sequence.num_missing_pages();
  for (const auto& other : running_) needed += other->num_missing_pages();
  return needed <= pool_->num_free() + (prefixes_ ? prefixes_->num_evictable() : 0);
}

// Gives the sequence its cached prefix, if its plan fits into memory then. A page that it would have to copy is left out where that is
// what it fails at.
bool Engine::try_admit(Sequence& sequence) {
  if (!prefixes_ || !sequence.reuses_prefixes()) return fits(sequence);
  const int64_t limit = sequence.answer.generation().num_prompt - 1;  // the last token is computed: its logits are needed
  prefixes_->append_full_pages(sequence.root, sequence.tokens(), limit, sequence.cache);
  const int64_t full = sequence.cache.length();
  prefixes_->append_page_beginning(sequence.root, sequence.tokens(), limit, sequence.cache);
  if (fits(sequence)) return true;
  sequence.cache.truncate(full);
  if (fits(sequence)) return true;
  sequence.cache.truncate(0);
  return false;
}

// The next in turn, as long as there is room; nobody overtakes a request that waits for memory.
void Engine::admit() {
  while (!waiting_.empty() && static_cast<int64_t>(running_.size()) < options_.max_sequences) {
    const auto next = next_waiting();
    Sequence& sequence = **next;
    if (!try_admit(sequence)) return;
    sequence.admitted = Clock::now();
    sequence.last_turn = num_turns_;
    Generation& generation = sequence.answer.generation();
    generation.num_reused = sequence.cache.length();
    generation.queued_s = seconds(sequence.admitted - sequence.submitted);
    metrics_.prompt_tokens += generation.num_prompt;
    metrics_.reused_tokens += generation.num_reused;
    // Beside those with the same adapters: neighbours' rows are one product.
    const auto last =
        std::find_if(running_.rbegin(), running_.rend(), [&](const auto& other) { return other->adapters == sequence.adapters; });
    running_.insert(last == running_.rend() ? running_.end() : last.base(), std::move(*next));
    waiting_.erase(next);
  }
}

// Prompts go on with what others have computed meanwhile.
void Engine::share_prefixes() {
  if (!prefixes_) return;
  for (const auto& sequence : running_) {
    const int64_t length = sequence->cache.length();
    if (!sequence->reads_prompt() || !sequence->reuses_prefixes() || length % kPageTokens != 0) continue;
    prefixes_->append_full_pages(sequence->root, sequence->tokens(), sequence->answer.generation().num_prompt - 1, sequence->cache);
    sequence->answer.generation().num_reused += sequence->cache.length() - length;
    metrics_.reused_tokens += sequence->cache.length() - length;
  }
}

// True when another prompt that begins alike is ahead within the page that this one would compute next: it waits and shares that page.
bool Engine::is_being_read_elsewhere(const Sequence& sequence) const {
  const auto page = static_cast<size_t>(sequence.cache.length() / kPageTokens);
  if (!prefixes_ || !sequence.reuses_prefixes() || sequence.cache.length() % kPageTokens != 0 || page >= sequence.hashes.size())
    return false;
  if ((static_cast<int64_t>(page) + 1) * kPageTokens >= sequence.answer.generation().num_prompt) return false;  // holds its last token
  for (const auto& other : running_) {
    if (other->is_paused || !other->reads_prompt() || static_cast<size_t>(other->cache.length() / kPageTokens) != page ||
        page >= other->hashes.size())
      continue;
    if (other->hashes[page] != sequence.hashes[page]) continue;
    if (other->cache.length() > sequence.cache.length() || other->id < sequence.id) return true;
  }
  return false;
}

}  // namespace atelier::generate
