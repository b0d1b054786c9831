// One forward pass: what each sequence runs in it.
#include <algorithm>

#include "atelier/base/error.h"
#include "atelier/generate/engine_sequence.h"

namespace atelier::generate {

using nn::kPageTokens;

Status Engine::step() {
  ATELIER_CHECK(!is_stepping_);
  is_stepping_ = true;
  for (const auto& sequence : running_) {
    if (sequence->answer.hooks().is_cancelled && sequence->answer.hooks().is_cancelled()) sequence->is_cancelled = true;
  }
  sweep();
  admit();
  share_prefixes();
  Status status = read_sources();
  if (status.ok()) status = propose_drafts();
  if (status.ok()) {
    batch_->clear();
    plan(*batch_);
    is_stalled_ = batch_->sequences.empty();
    status = run(*batch_);
    ++metrics_.steps;
  }
  is_stepping_ = false;
  sweep();
  return status;
}

// Of all that were admitted, as many tokens at a time as a step has rows. Admission has made sure of their pages.
Status Engine::read_sources() {
  std::vector<int32_t> ids;
  std::vector<nn::SourceRun> sources;
  const auto read = [&]() -> Status {
    if (sources.empty()) return {};
    const Status status = model_.read_sources(ids, sources);
    ids.clear();
    sources.clear();
    return status;
  };
  for (const auto& sequence : running_) {
    if (!sequence->waits_for_source() || sequence->is_paused) continue;
    if (std::ssize(ids) + std::ssize(sequence->source) > options_.step_rows) ATELIER_RETURN_IF_ERROR(read());
    ids.insert(ids.end(), sequence->source.begin(), sequence->source.end());
    sources.push_back({&sequence->source_cache, std::ssize(sequence->source)});
  }
  return read();
}

Status Engine::propose_drafts() {
  for (const auto& sequence : running_) sequence->drafts.clear();
  if (!speculator_) return {};
  std::vector<Speculator::Task> tasks;
  std::vector<Sequence*> sequences;
  for (const auto& sequence : running_) {
    if (sequence->reads_prompt() || sequence->search || sequence->is_paused) continue;
    const auto& answer = sequence->answer;
    const auto written = static_cast<int64_t>(answer.tokens().size() - answer.prompt().size());
    const int64_t left = answer.options().max_tokens < 0 ? INT64_MAX : answer.options().max_tokens - written;
    const int64_t limit = std::min({sequence->draft_limit, left - 1, context_ - sequence->cache.length() - 1});
    if (limit < 1) continue;
    tasks.push_back({sequence->id, &sequence->answer, limit, {}});
    sequences.push_back(sequence.get());
  }
  if (tasks.empty()) return {};
  ATELIER_RETURN_IF_ERROR(speculator_->propose(tasks));
  for (size_t i = 0; i < tasks.size(); ++i) sequences[i]->drafts = std::move(tasks[i].tokens);
  return {};
}

// Answers first, then prompts within the budget.
void Engine::plan(Batch& batch) {
  for (const auto& sequence : running_) {
    if (sequence->is_paused) continue;
    if (!sequence->reads_prompt() && sequence->search) {
      batch.add_beams(*sequence);
      continue;
    }
    if (!sequence->reads_prompt()) {
      batch.add_answer(*sequence);
      continue;
    }
    if (is_being_read_elsewhere(*sequence)) continue;
    int64_t rows = sequence->answer.generation().num_prompt - sequence->cache.length();
    if (!sequence->reuses_prefixes()) rows = std::min(rows, kLogitRows);  // the logits of all of them are wanted
    batch.prompts.push_back(sequence.get());
    batch.demands.push_back({rows, sequence->last_turn});
  }
  const auto num_answer_rows = static_cast<int64_t>(batch.ids.size());
  int64_t budget = options_.step_rows;
  if (num_answer_rows > 0) budget = std::clamp<int64_t>(budget - num_answer_rows, 1, options_.prompt_rows);
  for (const auto& [prompt, rows] : share_rows(batch.demands, budget)) {
    Sequence& sequence = *batch.prompts[prompt];
    const bool is_last = sequence.cache.length() + rows == sequence.answer.generation().num_prompt;
    batch.add_prompt(sequence, rows, sequence.reuses_prefixes() ? (is_last ? 1 : 0) : rows);
    sequence.last_turn = ++num_turns_;
    metrics_.prefill_tokens += rows;
  }
}

// Admission has made sure that the pages can be had; remembered prefixes give way.
void Engine::make_room(Batch& batch) {
  for (const nn::RowRun& run : batch.runs) {
    while (!run.cache->reserve(run.num_rows)) ATELIER_CHECK(prefixes_ && prefixes_->evict_one());
  }
}

Status Engine::run(Batch& batch) {
  if (batch.sequences.empty()) return {};
  make_room(batch);
  ATELIER_RETURN_IF_ERROR(model_.run(batch.ids, batch.runs));
  read_logits(batch);
  for (Sequence* sequence : batch.sequences) remember(*sequence);
  return {};
}

void Engine::remember(Sequence& sequence) {
  const int64_t num_full = sequence.cache.length() / kPageTokens;
  if (!prefixes_ || num_full == sequence.num_remembered) return;
  prefixes_->insert_full_pages(sequence.root, sequence.tokens(), sequence.cache);
  sequence.num_remembered = num_full;
}

}  // namespace atelier::generate
