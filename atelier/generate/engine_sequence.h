// What the engine keeps of a request from its arrival to its end, and the rows of one forward pass. For the engine's own files.
#pragma once

#include <chrono>
#include <optional>

#include "atelier/generate/beam_search.h"
#include "atelier/generate/engine.h"
#include "atelier/generate/step_plan.h"

namespace atelier::generate {

inline constexpr int64_t kLogitRows = 64;  // whose logits are held at once: 64 of 262,144 are 64 MiB

using Clock = std::chrono::steady_clock;

inline double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

struct Engine::Sequence {
  // `read`: the source of a decoder with an encoder, whose request's prompt is what its answer stands behind; else nothing.
  Sequence(RequestId sequence_id, Request request, std::vector<int32_t> read, std::vector<nn::AppliedAdapter> applied, nn::KvCache empty,
           nn::KvCache empty_source, const tokenize::Tokenizer* tokenizer);

  std::span<const int32_t> tokens() const { return answer.tokens(); }
  bool is_writing() const { return error.ok() && !is_cancelled && !answer.has_ended(); }
  bool reads_prompt() const { return cache.length() < answer.generation().num_prompt; }
  bool reuses_prefixes() const { return !answer.options().report_prompt; }
  bool waits_for_source() const { return !source.empty() && source_cache.length() == 0; }
  // Pages that it may still take until its answer is as long as it can be.
  int64_t num_missing_pages() const;

 private:
  // Tokens whose keys and values a cache will hold at most: the last token of an answer is never run.
  int64_t planned_length() const;
  int64_t num_missing_answer_pages() const;
  int64_t num_missing_beam_pages() const;

 public:
  RequestId id;
  int priority;
  std::vector<nn::AppliedAdapter> adapters;
  std::string root;  // of the prefix cache
  Answer answer;
  std::vector<int32_t> source;           // what an encoder reads
  nn::KvCache source_cache;              // what the decoder attends to of it, whatever number of beams
  nn::KvCache cache;                     // with a beam search, of the prompt
  std::optional<BeamSearch> search;      // for requests with several beams
  std::vector<nn::KvCache> beam_caches;  // of search->running(), once the prompt has been read
  std::vector<uint64_t> hashes;          // of each full page of the prompt: equal for prompts that begin alike
  std::vector<int32_t> drafts;           // proposed behind the last token, for this step
  int64_t draft_limit = 1;               // grows while proposals are right
  int64_t num_remembered = 0;            // full pages that the prefix cache has been told of
  int64_t queued_at_step = 0;
  int64_t last_turn = 0;      // of its prompt
  bool is_answering = false;  // the prompt has been read
  bool is_cancelled = false;
  bool is_paused = false;
  Status error;  // why it has failed
  Clock::time_point submitted = Clock::now(), admitted, answering;

  // In this step: its rows of the batch, and where the logits of some of them stand.
  int64_t num_rows = 0;
  int64_t num_logit_rows = 0;  // the last ones
  size_t first_logit_row = 0;  // in Batch::logit_rows
};

// A sequence and the logits [rows, V] of positions that follow each other, the first behind its tokens.
struct Engine::Writing {
  Sequence* sequence;
  std::span<const float> logits;
  Result<Answer::Choice> choice = Answer::Choice();  // of the position at hand
};

// One forward pass: rows sequence after sequence. The lists are kept from step to step, so that a steady one allocates nothing.
struct Engine::Batch {
  void clear();
  std::vector<Sequence*> sequences;
  std::vector<int32_t> ids;
  std::vector<nn::RowRun> runs;
  std::vector<int64_t> logit_rows;

  // Lists of the phases of a step.
  std::vector<Sequence*> prompts;
  std::vector<PromptDemand> demands;  // of the prompts
  std::vector<Writing> writing;

  // The last token of an answer and its drafts.
  void add_answer(Sequence& sequence);
  // The next `rows` of a prompt; the logits of the last ones are wanted.
  void add_prompt(Sequence& sequence, int64_t rows, int64_t num_logit_rows);
  // One row for each beam.
  void add_beams(Sequence& sequence);

 private:
  void start(Sequence& sequence, int64_t num_rows, int64_t num_logit_rows);
  void add_run(const Sequence& sequence, nn::KvCache& cache, int64_t num_rows);
  void append(std::span<const int32_t> tokens) { ids.insert(ids.end(), tokens.begin(), tokens.end()); }
};

}  // namespace atelier::generate
