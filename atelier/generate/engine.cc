#include "atelier/generate/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "atelier/base/error.h"
#include "atelier/base/hash.h"
#include "atelier/base/log.h"
#include "atelier/base/strings.h"
#include "atelier/generate/page_identity.h"
#include "atelier/generate/sampler_chain.h"
#include "atelier/generate/step_plan.h"
#include "atelier/parallel/parallel.h"

namespace atelier::generate {
namespace {

using Clock = std::chrono::steady_clock;
using nn::kPageTokens;
using nn::KvLayout;

constexpr int64_t kLogitRows = 64;         // rows whose logits are held at once: 64 of 262,144 are 64 MiB
constexpr int64_t kStepsPerPriority = 64;  // a request that has waited this long stands one priority higher

double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

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

struct Engine::Sequence {
  Sequence(RequestId sequence_id, Request request, nn::KvCache empty, const tokenize::Tokenizer* tokenizer)
      : id(sequence_id),
        priority(request.priority),
        root(prefix_root(request.cache_scope, request.adapter)),
        answer(request.prompt, std::move(request.options), std::move(request.hooks), tokenizer),
        cache(std::move(empty)),
        hashes(page_hashes(root, answer.prompt())) {}

  std::span<const int32_t> tokens() const { return answer.tokens(); }
  bool is_writing() const { return error.ok() && !is_cancelled && !answer.has_ended(); }
  bool reads_prompt() const { return cache.length() < answer.generation().num_prompt; }
  bool reuses_prefixes() const { return !answer.options().report_prompt; }
  // Tokens whose keys and values the cache will hold at most: the last token of an answer is never run.
  int64_t planned_length() const {
    const int64_t max_tokens = answer.options().max_tokens;
    if (max_tokens < 0) return cache.context();
    return std::min(cache.context(), answer.generation().num_prompt + std::max<int64_t>(0, max_tokens - 1));
  }

  RequestId id;
  int priority;
  std::string root;  // of the prefix cache
  Answer answer;
  nn::KvCache cache;
  std::vector<uint64_t> hashes;  // page_hashes of the prompt
  std::vector<int32_t> drafts;   // proposed behind the last token, for this step
  int64_t draft_limit = 1;       // grows while proposals are right
  int64_t num_remembered = 0;    // full pages that the prefix cache has been told of
  int64_t queued_at_step = 0;
  int64_t last_turn = 0;      // of its prompt
  bool is_answering = false;  // the prompt has been read
  bool is_cancelled = false;
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
};

// One forward pass: rows sequence after sequence.
struct Engine::Batch {
  std::vector<Sequence*> sequences;
  std::vector<int32_t> ids;
  std::vector<nn::RowRun> runs;
  std::vector<int64_t> logit_rows;

  void add(Sequence& sequence, std::span<const int32_t> tokens, int64_t num_logit_rows) {
    sequence.num_rows = static_cast<int64_t>(tokens.size());
    sequence.num_logit_rows = num_logit_rows;
    sequence.first_logit_row = logit_rows.size();
    ids.insert(ids.end(), tokens.begin(), tokens.end());
    runs.push_back({&sequence.cache, sequence.num_rows});
    const auto end = static_cast<int64_t>(ids.size());
    for (int64_t row = end - num_logit_rows; row < end; ++row) logit_rows.push_back(row);
    sequences.push_back(&sequence);
  }
};

Engine::Engine(models::Model& model, const EngineOptions& options) : model_(model), options_(options) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::create(models::Model& model, const EngineOptions& options) {
  if (options.max_sequences < 1 || options.step_rows < 1 || options.prompt_rows < 1 || options.max_draft < 1) {
    return Status::invalid("engine: sequences, rows of a step and drafts must be at least 1; correct the options");
  }
  std::unique_ptr<Engine> engine(new Engine(model, options));
  const KvLayout layout(model.spec(), model.kv_dtype());
  const int64_t asked = options.context > 0 ? options.context : model.context();
  const int64_t num_pages =
      options.kv_bytes > 0 ? options.kv_bytes / layout.page_bytes() : options.max_sequences * KvLayout::num_pages(asked);
  if (num_pages < 1) {
    return Status::out_of_range(fmt::format("KV memory: {}, a page of {} tokens takes {}; give more",
                                            human_bytes(static_cast<uint64_t>(options.kv_bytes)), kPageTokens,
                                            human_bytes(static_cast<uint64_t>(layout.page_bytes()))));
  }
  engine->context_ = std::min(asked, num_pages * kPageTokens);
  if (const auto tokenizer = model.tokenizer(); tokenizer.ok()) engine->tokenizer_ = *tokenizer;
  log(LogLevel::kDebug, fmt::format("KV memory: {} planned, {} pages of {} tokens in {}, for {} sequences of {} tokens at most",
                                    human_bytes(static_cast<uint64_t>(num_pages * layout.page_bytes())), num_pages, kPageTokens,
                                    dtype_name(layout.dtype), options.max_sequences, engine->context_));
  ATELIER_TRY(engine->pool_, model.new_pool(num_pages));
  if (options.keeps_prefixes) engine->prefixes_ = std::make_unique<PrefixCache>(engine->pool_);
  if (options.speculation == Speculation::kLookup) engine->speculator_ = lookup_speculator();
  if (options.speculation == Speculation::kDraft) {
    ATELIER_CHECK(options.draft_model != nullptr);
    ATELIER_TRY(engine->speculator_, draft_speculator(model, *options.draft_model, options.max_sequences, engine->context_));
  }
  return engine;
}

// ---- Requests

Status Engine::check(const Request& request) const {
  ATELIER_RETURN_IF_ERROR(check_sampling_options(request.options.sampling));
  if (request.prompt.empty()) return Status::invalid("prompt: 0 tokens, at least 1 is needed; give some text");
  const auto length = static_cast<int64_t>(request.prompt.size());
  if (length >= context_) {
    return Status::out_of_range(fmt::format("prompt: {} tokens, the context of {} must hold it and one more; shorten it or raise {}",
                                            length, context_, context_ < model_.context() ? "the KV memory" : "--context"));
  }
  const auto in_vocabulary = [&](int32_t id) { return id >= 0 && id < model_.spec().vocab_size; };
  if (const auto bad = std::find_if_not(request.prompt.begin(), request.prompt.end(), in_vocabulary); bad != request.prompt.end()) {
    return Status::invalid(
        fmt::format("prompt: token id {} is outside the vocabulary of {}; use the model's tokenizer", *bad, model_.spec().vocab_size));
  }
  for (const auto& [id, bias] : request.options.sampling.logit_bias) {
    if (!in_vocabulary(id)) {
      return Status::invalid(
          fmt::format("logit bias: token id {} is outside the vocabulary of {}; see atelier tokenize", id, model_.spec().vocab_size));
    }
  }
  if (tokenizer_ == nullptr && !request.options.stop_strings.empty()) {
    return Status::invalid("stop strings: given, but the model has no tokenizer; use stop ids");
  }
  if (!request.adapter.id.empty()) {
    return Status::not_found(fmt::format("adapter: {}, none is loaded; leave it out", quoted(request.adapter.id)));
  }
  return {};
}

Result<Engine::RequestId> Engine::submit(Request request) {
  ATELIER_RETURN_IF_ERROR(check(request));
  waiting_.push_back(std::make_unique<Sequence>(next_id_, std::move(request), nn::KvCache(pool_, context_), tokenizer_));
  waiting_.back()->queued_at_step = metrics_.steps;
  ++metrics_.requests;
  return next_id_++;
}

void Engine::cancel(RequestId id) {
  for (const Sequences* sequences : {&waiting_, &running_}) {
    for (const auto& sequence : *sequences) {
      if (sequence->id == id) sequence->is_cancelled = true;
    }
  }
  if (!is_stepping_) sweep();
}

Result<Generation> Engine::generate(Request request) {
  std::optional<Result<Generation>> outcome;
  request.hooks.on_finish = [&outcome](const Result<Generation>& generation) { outcome = generation; };
  ATELIER_TRY(const RequestId id, submit(std::move(request)));
  while (!outcome) {
    const Status status = step();
    if (status.ok()) continue;
    cancel(id);
    return status;
  }
  return *std::move(outcome);
}

EngineMetrics Engine::metrics() const {
  EngineMetrics metrics = metrics_;
  metrics.num_queued = static_cast<int64_t>(waiting_.size());
  metrics.num_running = static_cast<int64_t>(running_.size());
  metrics.kv_pages = pool_->num_pages();
  metrics.kv_pages_free = pool_->num_free();
  metrics.kv_pages_kept = prefixes_ ? prefixes_->num_pages() : 0;
  return metrics;
}

// ---- Admission

// The waiting request of the highest priority, of equal ones the oldest; waiting raises it.
Engine::Sequences::iterator Engine::next_waiting() {
  const auto rank = [&](const std::unique_ptr<Sequence>& sequence) {
    return sequence->priority + (metrics_.steps - sequence->queued_at_step) / kStepsPerPriority;
  };
  return std::max_element(waiting_.begin(), waiting_.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
}

// True when the pages that all running sequences may still take, and those of `sequence` with `cache`, can be had.
bool Engine::fits(const Sequence& sequence, const nn::KvCache& cache) const {
  int64_t needed = cache.num_missing_pages(sequence.planned_length());
  for (const auto& other : running_) needed += other->cache.num_missing_pages(other->planned_length());
  return needed <= pool_->num_free() + (prefixes_ ? prefixes_->num_evictable() : 0);
}

// Gives the sequence its cached prefix, if its plan fits into memory then. A page that it would have to copy is left out where that is
// what it fails at.
bool Engine::try_admit(Sequence& sequence) {
  if (!prefixes_ || !sequence.reuses_prefixes()) return fits(sequence, sequence.cache);
  const int64_t limit = sequence.answer.generation().num_prompt - 1;  // the last token is computed: its logits are needed
  prefixes_->append_full_pages(sequence.root, sequence.tokens(), limit, sequence.cache);
  const int64_t full = sequence.cache.length();
  prefixes_->append_page_beginning(sequence.root, sequence.tokens(), limit, sequence.cache);
  if (fits(sequence, sequence.cache)) return true;
  sequence.cache.truncate(full);
  if (fits(sequence, sequence.cache)) return true;
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
    running_.push_back(std::move(*next));
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
    if (!other->reads_prompt() || static_cast<size_t>(other->cache.length() / kPageTokens) != page || page >= other->hashes.size())
      continue;
    if (other->hashes[page] != sequence.hashes[page]) continue;
    if (other->cache.length() > sequence.cache.length() || other->id < sequence.id) return true;
  }
  return false;
}

// ---- One step

Status Engine::step() {
  ATELIER_CHECK(!is_stepping_);
  is_stepping_ = true;
  for (const auto& sequence : running_) {
    if (sequence->answer.hooks().is_cancelled && sequence->answer.hooks().is_cancelled()) sequence->is_cancelled = true;
  }
  sweep();
  admit();
  share_prefixes();
  Status status = propose_drafts();
  if (status.ok()) {
    Batch batch;
    plan(batch);
    status = run(batch);
    ++metrics_.steps;
  }
  is_stepping_ = false;
  sweep();
  return status;
}

Status Engine::propose_drafts() {
  for (const auto& sequence : running_) sequence->drafts.clear();
  if (!speculator_) return {};
  std::vector<Speculator::Task> tasks;
  std::vector<Sequence*> sequences;
  for (const auto& sequence : running_) {
    if (sequence->reads_prompt()) continue;
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
  std::vector<Sequence*> prompts;
  std::vector<PromptDemand> demands;
  for (const auto& sequence : running_) {
    if (!sequence->reads_prompt()) {
      std::vector<int32_t> tokens = {sequence->tokens().back()};
      tokens.insert(tokens.end(), sequence->drafts.begin(), sequence->drafts.end());
      batch.add(*sequence, tokens, static_cast<int64_t>(tokens.size()));
      continue;
    }
    if (is_being_read_elsewhere(*sequence)) continue;
    int64_t rows = sequence->answer.generation().num_prompt - sequence->cache.length();
    if (!sequence->reuses_prefixes()) rows = std::min(rows, kLogitRows);  // the logits of all of them are wanted
    prompts.push_back(sequence.get());
    demands.push_back({rows, sequence->last_turn});
  }
  const auto num_answer_rows = static_cast<int64_t>(batch.ids.size());
  int64_t budget = options_.step_rows;
  if (num_answer_rows > 0) budget = std::clamp<int64_t>(budget - num_answer_rows, 1, options_.prompt_rows);
  for (const auto& [prompt, rows] : share_rows(demands, budget)) {
    Sequence& sequence = *prompts[prompt];
    const auto tokens = sequence.tokens().subspan(static_cast<size_t>(sequence.cache.length()), static_cast<size_t>(rows));
    const bool is_last = sequence.cache.length() + rows == sequence.answer.generation().num_prompt;
    batch.add(sequence, tokens, sequence.reuses_prefixes() ? (is_last ? 1 : 0) : rows);
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
  for (size_t begin = 0; begin < batch.sequences.size();) {  // pieces of at most kLogitRows logits
    int64_t rows = 0;
    size_t end = begin;
    while (end < batch.sequences.size() && (end == begin || rows + batch.sequences[end]->num_logit_rows <= kLogitRows)) {
      rows += batch.sequences[end++]->num_logit_rows;
    }
    read_logits(batch, begin, end);
    begin = end;
  }
  for (Sequence* sequence : batch.sequences) remember(*sequence);
  return {};
}

// What the logits of sequences [begin, end) of the batch say.
void Engine::read_logits(Batch& batch, size_t begin, size_t end) {
  const size_t first = batch.sequences[begin]->first_logit_row;
  const size_t last = batch.sequences[end - 1]->first_logit_row + static_cast<size_t>(batch.sequences[end - 1]->num_logit_rows);
  if (first == last) return;
  const std::span<const float> logits = model_.logits(std::span(batch.logit_rows).subspan(first, last - first));
  const auto vocabulary = static_cast<size_t>(model_.spec().vocab_size);
  std::vector<Writing> writing;
  for (size_t i = begin; i < end; ++i) {
    Sequence& sequence = *batch.sequences[i];
    const auto count = static_cast<size_t>(sequence.num_logit_rows);
    const auto rows = logits.subspan((sequence.first_logit_row - first) * vocabulary, count * vocabulary);
    if (sequence.is_answering) {
      writing.push_back({&sequence, rows});
      continue;
    }
    if (!sequence.reuses_prefixes()) report_prompt(sequence, rows);
    if (sequence.reads_prompt() || !sequence.error.ok()) continue;
    sequence.is_answering = true;
    sequence.answering = Clock::now();
    writing.push_back({&sequence, rows.last(count == 0 ? 0 : vocabulary)});
  }
  write_answers(writing);
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
  std::vector<Result<Answer::Choice>> choices;
  for (Writing& item : writing) {
    if (item.sequence->answer.options().max_tokens == 0) end(*item.sequence, FinishReason::kLength);
  }
  for (size_t row = 0; !writing.empty(); ++row) {
    std::erase_if(writing, [](const Writing& item) { return !item.sequence->is_writing(); });
    choices.assign(writing.size(), Answer::Choice{});
    parallel_for(static_cast<int64_t>(writing.size()), 1, [&](int64_t begin, int64_t end, int) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        choices[i] = writing[i].sequence->answer.choose(writing[i].logits.subspan(row * vocabulary, vocabulary));
      }
    });
    for (size_t i = 0; i < writing.size(); ++i) {
      if (!take(writing[i], choices[i], row)) writing[i].sequence = nullptr;
    }
    std::erase_if(writing, [](const Writing& item) { return item.sequence == nullptr; });
  }
}

// False when the answer has no use for the rows behind `row`: what they stored is forgotten.
bool Engine::take(const Writing& item, const Result<Answer::Choice>& choice, size_t row) {
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

// ---- Afterwards

void Engine::remember(Sequence& sequence) {
  const int64_t num_full = sequence.cache.length() / kPageTokens;
  if (!prefixes_ || num_full == sequence.num_remembered) return;
  prefixes_->insert_full_pages(sequence.root, sequence.tokens(), sequence.cache);
  sequence.num_remembered = num_full;
}

void Engine::end(Sequence& sequence, FinishReason reason) {
  const Status status = sequence.answer.end(reason);
  if (sequence.error.ok()) sequence.error = status;
}

// Takes out what has ended and says so. Hooks may submit and cancel: nothing is iterated then.
void Engine::sweep() {
  Sequences ended;
  for (Sequences* sequences : {&waiting_, &running_}) {
    for (auto& sequence : *sequences) {
      if (!sequence->is_cancelled && sequence->is_writing()) continue;
      ended.push_back(std::move(sequence));
    }
    std::erase(*sequences, nullptr);
  }
  for (const auto& sequence : ended) finish(*sequence);
}

void Engine::finish(Sequence& sequence) {
  if (sequence.error.ok() && !sequence.answer.has_ended()) {
    ++metrics_.cancelled;
    end(sequence, FinishReason::kCancelled);
  }
  if (prefixes_ && sequence.cache.length() > 0) {
    prefixes_->insert_all_pages(sequence.root, sequence.tokens(), sequence.cache);
  }
  sequence.cache.truncate(0);  // its memory is free before anybody hears of it
  if (speculator_) speculator_->forget(sequence.id);
  const Clock::time_point now = Clock::now();
  Generation& generation = sequence.answer.generation();
  generation.prefill_s =
      sequence.admitted == Clock::time_point() ? 0 : seconds((sequence.is_answering ? sequence.answering : now) - sequence.admitted);
  generation.decode_s = sequence.is_answering ? seconds(now - sequence.answering) : 0;
  if (!sequence.error.ok()) ++metrics_.failed;
  const auto& on_finish = sequence.answer.hooks().on_finish;
  if (!on_finish) return;
  if (sequence.error.ok()) {
    on_finish(std::move(generation));
  } else {
    on_finish(sequence.error);
  }
}

// ---- Prefixes on disk

Status Engine::save_prefixes(const std::string& path) const {
  if (!prefixes_) return Status::invalid("prefix cache: switched off, there is nothing to save; switch it on");
  return prefixes_->save(path, page_identity(model_));
}

Status Engine::restore_prefixes(const std::string& path) {
  if (!prefixes_) return Status::invalid("prefix cache: switched off, nothing can be restored; switch it on");
  return prefixes_->restore(path, page_identity(model_));
}

}  // namespace atelier::generate
