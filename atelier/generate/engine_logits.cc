// From the logits of a forward pass to the tokens of the answers.
#include <algorithm>

#include "atelier/generate/engine_sequence.h"
#include "atelier/parallel/parallel.h"

namespace atelier::generate {

void Engine::read_logits(Batch& batch) {
  for (size_t begin = 0; begin < batch.sequences.size();) {  // pieces of at most kLogitRows logits
    int64_t rows = 0;
    size_t end = begin;
    while (end < batch.sequences.size() && (end == begin || rows + batch.sequences[end]->num_logit_rows <= kLogitRows)) {
      rows += batch.sequences[end++]->num_logit_rows;
    }
    read_logits(batch, begin, end);
    begin = end;
  }
}

// What the logits of sequences [begin, end) of the batch say.
void Engine::read_logits(Batch& batch, size_t begin, size_t end) {
  const size_t first = batch.sequences[begin]->first_logit_row;
  const size_t last = batch.sequences[end - 1]->first_logit_row + static_cast<size_t>(batch.sequences[end - 1]->num_logit_rows);
  if (first == last) return;
  const std::span<const float> logits = model_.logits(std::span(batch.logit_rows).subspan(first, last - first));
  const auto vocabulary = static_cast<size_t>(model_.spec().vocab_size);
  batch.writing.clear();
  for (size_t i = begin; i < end; ++i) {
    Sequence& sequence = *batch.sequences[i];
    const auto count = static_cast<size_t>(sequence.num_logit_rows);
    auto rows = logits.subspan((sequence.first_logit_row - first) * vocabulary, count * vocabulary);
    if (!sequence.is_answering) {
      if (!sequence.reuses_prefixes()) report_prompt(sequence, rows);
      if (sequence.reads_prompt() || !sequence.error.ok()) continue;
      sequence.is_answering = true;
      sequence.answering = Clock::now();
      rows = rows.last(vocabulary);
    }
    if (sequence.search) {
      write_beams(sequence, rows);
    } else {
      batch.writing.push_back({&sequence, rows});
    }
  }
  write_answers(batch.writing);
}

// `logits` are those of the rows just run, all of the prompt.
void Engine::report_prompt(Sequence& sequence, std::span<const float> logits) {
  const auto vocabulary = static_cast<size_t>(model_.spec().vocab_size);
  auto next = static_cast<size_t>(sequence.cache.length() - sequence.num_rows) + 1;  // the token that the first row predicts
  for (size_t row = 0; row < logits.size(); row += vocabulary, ++next) {
    if (next == sequence.answer.prompt().size() || !sequence.error.ok()) return;
    sequence.error = sequence.answer.report_prompt_token(next, logits.subspan(row, vocabulary));
  }
}

// Position by position: all choose together on the team, then each token is taken. An answer goes on to its next row while the token is
// the one that was proposed for that row.
void Engine::write_answers(std::vector<Writing>& writing) {
  const auto vocabulary = static_cast<size_t>(model_.spec().vocab_size);
  for (Writing& item : writing) {
    if (item.sequence->answer.options().max_tokens == 0) end(*item.sequence, FinishReason::kLength);
  }
  for (size_t row = 0; !writing.empty(); ++row) {
    std::erase_if(writing, [](const Writing& item) { return !item.sequence->is_writing(); });
    parallel_for(static_cast<int64_t>(writing.size()), 1, [&](int64_t begin, int64_t end, int) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        writing[i].choice = writing[i].sequence->answer.choose(writing[i].logits.subspan(row * vocabulary, vocabulary));
      }
    });
    for (Writing& item : writing) {
      if (!take(item, row)) item.sequence = nullptr;
    }
    std::erase_if(writing, [](const Writing& item) { return item.sequence == nullptr; });
  }
}

// False when the answer has no use for the rows behind `row`: what they stored is forgotten.
bool Engine::take(const Writing& item, size_t row) {
  const Result<Answer::Choice>& choice = item.choice;
  const auto vocabulary = static_cast<size_t>(model_.spec().vocab_size);
  Sequence& sequence = *item.sequence;
  const size_t num_rows = item.logits.size() / vocabulary;
  const bool is_right = choice.ok() && row < sequence.drafts.size() && choice->id == sequence.drafts[row];
  sequence.error = choice.ok() ? sequence.answer.take(*choice, item.logits.subspan(row * vocabulary, vocabulary)) : choice.status();
  ++metrics_.decode_tokens;
  sequence.answer.generation().num_accepted += is_right ? 1 : 0;
  if (is_right && sequence.is_writing()) return true;

  const auto accepted = static_cast<int64_t>(row + (is_right ? 1 : 0)), drafted = static_cast<int64_t>(sequence.drafts.size());
  sequence.cache.truncate(sequence.cache.length() - static_cast<int64_t>(num_rows - row - 1));
  if (drafted > 0) {
    sequence.draft_limit = accepted == drafted ? std::min(2 * sequence.draft_limit, options_.max_draft) : accepted + 1;
    sequence.answer.generation().num_drafted += drafted;
    metrics_.drafted_tokens += drafted;
    metrics_.accepted_tokens += accepted;
  }
  if (sequence.is_writing() && sequence.cache.length() == context_) end(sequence, FinishReason::kContextFull);
  return false;
}

}  // namespace atelier::generate
