// Many generations at once on one model: continuous batching over paged keys and values.
//
// Requests are submitted at any time; step() runs one forward pass with rows of all of them: one row for each answer that is being
// written (more with speculation), and pieces of the prompts that are being read. The bits of a request's tokens and
// log-probabilities do not depend on what else runs, on pieces, on cached prefixes or on speculation (docs/adr/0009-engine.md).
// Of a decoder with an encoder a request's prompt is the source: it is read once, sources of several requests together, before the first
// row of the answer.
//
//   ATELIER_TRY(auto engine, generate::Engine::create(*model, {.max_sequences = 16}));
//   ATELIER_TRY(auto id, engine->submit(request));          // hooks tell what it says; on_finish comes last
//   while (engine->has_work()) ATELIER_RETURN_IF_ERROR(engine->step());
//
// One owner thread calls everything. Hooks may submit and cancel.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "atelier/generate/answer.h"
#include "atelier/generate/prefix_cache.h"
#include "atelier/generate/request.h"
#include "atelier/generate/speculator.h"
#include "atelier/models/model.h"

namespace atelier::generate {

enum class Speculation : uint8_t { kNone, kLookup, kDraft };

struct EngineOptions {
  int64_t max_sequences = 16;  // that run together; others wait
  int64_t context = 0;         // tokens of one prompt and its answer; 0: the model's planned context
  int64_t max_beams = 1;       // of one request, for whom memory is planned; more may run where it suffices
  int64_t kv_bytes = 0;        // memory for keys and values; 0: max_sequences x max_beams x context
  int64_t step_rows = 512;     // of one forward pass
  int64_t prompt_rows = 128;   // of them, for prompts while answers are being written
  bool keeps_prefixes = true;  // of prompts and answers, in the same memory
  Speculation speculation = Speculation::kNone;
  models::Model* draft_model = nullptr;  // for kDraft; must outlive the engine
  int64_t max_draft = 8;                 // tokens that speculation may propose at once
};

// Counts since the engine was made, and what is going on now.
struct EngineMetrics {
  int64_t num_queued = 0, num_running = 0;
  int64_t kv_pages = 0, kv_pages_free = 0, kv_pages_kept = 0;  // kept: remembered prefixes, those in use included
  int64_t steps = 0, requests = 0, cancelled = 0, failed = 0;
  int64_t prompt_tokens = 0;  // of admitted requests
  int64_t reused_tokens = 0;  // of those, not computed
  int64_t prefill_tokens = 0, decode_tokens = 0;
  int64_t drafted_tokens = 0, accepted_tokens = 0;
};

class Engine {
 public:
  using RequestId = uint64_t;

  // The model must outlive the engine. Its tokenizer makes the text; without one there is none. Says what memory it plans to take.
  static Result<std::unique_ptr<Engine>> create(models::Model& model, const EngineOptions& options);
  ~Engine();

  // Holds an adapter of the model under an id that requests may name. InvalidArgument when the id is taken.
  Status add_adapter(const std::string& id, std::shared_ptr<const nn::Adapter> adapter);

  // InvalidArgument while requests use it.
  Status remove_adapter(const std::string& id);

  // Refused at once: an empty prompt, one that does not fit the context (OutOfRange names both numbers), ids outside the vocabulary,
  // options out of range, an unknown adapter. Otherwise on_finish will be called exactly once.
  Result<RequestId> submit(Request request);

  // Ends a request now (from a hook: before step() returns) and gives back its memory. Unknown ids are those that have ended: no error.
  void cancel(RequestId id);

  // A paused request keeps its place and its memory, and takes part in no step until it is resumed: for whoever has nowhere to put what it
  // says. What it says is the same. Unknown ids are those that have ended.
  void pause(RequestId id) { set_paused(id, true); }
  void resume(RequestId id) { set_paused(id, false); }

  // False as well while all that is left is paused, or waits for the memory of what is.
  bool has_work() const { return !is_stalled_ && (!waiting_.empty() || !running_.empty()); }
  Status step();

  // submit() and step() until this request has ended; others move on meanwhile. Its on_finish is not called.
  Result<Generation> generate(Request request);

  int64_t context() const { return context_; }
  EngineMetrics metrics() const;

  // Remembered prefixes to and from a file; see prefix_cache.h.
  Status save_prefixes(const std::string& path) const;
  Status restore_prefixes(const std::string& path);

 private:
  struct Sequence;
  struct Batch;
  struct Writing;
  using Sequences = std::vector<std::unique_ptr<Sequence>>;

  Engine(models::Model& model, const EngineOptions& options);

  Result<std::vector<nn::AppliedAdapter>> find_adapters(const std::vector<AdapterChoice>& choices) const;
  Status put_virtual_tokens(const std::vector<nn::AppliedAdapter>& adapters, Request& request) const;
  std::vector<int32_t> take_source(Request& request) const;

  void set_paused(RequestId id, bool is_paused);
  void admit();
  Sequences::iterator next_waiting();
  bool try_admit(Sequence& sequence);
  bool fits(const Sequence& sequence) const;
  void share_prefixes();
  bool is_being_read_elsewhere(const Sequence& sequence) const;

  Status read_sources();
  Status propose_drafts();
  void plan(Batch& batch);
  void make_room(Batch& batch);
  Status run(Batch& batch);
  void read_logits(Batch& batch);
  void read_logits(Batch& batch, size_t begin, size_t end);
  void report_prompt(Sequence& sequence, std::span<const float> logits);
  void write_answers(std::vector<Writing>& writing);
  bool take(const Writing& item, size_t row);
  void write_beams(Sequence& sequence, std::span<const float> logits);
  Status say_beams(Sequence& sequence);
  void remember(Sequence& sequence);
  void end(Sequence& sequence, FinishReason reason);
  void finish(Sequence& sequence);
  void sweep();

  models::Model& model_;
  EngineOptions options_;
  const tokenize::Tokenizer* tokenizer_ = nullptr;
  int64_t context_ = 0;
  std::map<std::string, std::shared_ptr<const nn::Adapter>> adapters_;
  std::shared_ptr<nn::KvPool> pool_;
  std::unique_ptr<PrefixCache> prefixes_;   // null when none are kept
  std::unique_ptr<Speculator> speculator_;  // null without speculation
  std::unique_ptr<Batch> batch_;            // of the step at hand
  Sequences waiting_, running_;             // in the order of arrival; of admission, by adapters
  RequestId next_id_ = 1;
  int64_t num_turns_ = 0;  // of prompts, in all steps
  bool is_stepping_ = false;
  bool is_stalled_ = false;  // the last step had nothing to run: so will the next, until somebody comes, goes or is resumed
  EngineMetrics metrics_;
};

}  // namespace atelier::generate
