#include "atelier/generate/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "atelier/base/error.h"
#include "atelier/base/log.h"
#include "atelier/base/strings.h"
#include "atelier/generate/engine_sequence.h"
#include "atelier/generate/page_identity.h"
#include "atelier/generate/request_check.h"

namespace atelier::generate {

using nn::kPageTokens;
using nn::KvLayout;

Engine::Engine(models::Model& model, const EngineOptions& options) : model_(model), options_(options), batch_(std::make_unique<Batch>()) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::create(models::Model& model, const EngineOptions& options) {
  if (options.max_sequences < 1 || options.step_rows < 1 || options.prompt_rows < 1 || options.max_draft < 1 || options.max_beams < 1) {
    return Status::invalid("engine: sequences, rows of a step, drafts and beams must be at least 1; correct the options");
  }
  std::unique_ptr<Engine> engine(new Engine(model, options));
  const KvLayout layout(model.spec(), model.kv_dtype());
  const int64_t asked = options.context > 0 ? options.context : model.context();
  // Beams keep the last page of their prompt beside their own.
  const int64_t source_pages = model.has_encoder() ? KvLayout::num_pages(model.max_source()) : 0;
  const int64_t pages_of_one = options.max_beams * KvLayout::num_pages(asked) + (options.max_beams > 1 ? 1 : 0) + source_pages;
  const int64_t num_pages = options.kv_bytes > 0 ? options.kv_bytes / layout.page_bytes() : options.max_sequences * pages_of_one;
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
  if (options.keeps_prefixes && !model.has_encoder()) engine->prefixes_ = std::make_unique<PrefixCache>(engine->pool_);
  if (options.speculation == Speculation::kLookup) engine->speculator_ = lookup_speculator();
  if (options.speculation == Speculation::kDraft) {
    ATELIER_CHECK(options.draft_model != nullptr);
    if (model.has_encoder() || options.draft_model->has_encoder()) {
      return Status::unsupported("--draft: given with a model that has an encoder, which no draft can follow; leave it out");
    }
    ATELIER_TRY(engine->speculator_, draft_speculator(model, *options.draft_model, options.max_sequences, engine->context_));
  }
  return engine;
}

Status Engine::add_adapter(const std::string& id, std::shared_ptr<const nn::Adapter> adapter) {
  if (adapters_.try_emplace(id, std::move(adapter)).second) return {};
  return Status::invalid(fmt::format("adapter: {}, the id is taken; give each adapter one of its own", quoted(id)));
}

Status Engine::remove_adapter(const std::string& id) {
  const auto found = adapters_.find(id);
  if (found == adapters_.end()) return Status::not_found(fmt::format("adapter: {}, no such adapter is loaded", quoted(id)));
  const auto uses = [&](const std::unique_ptr<Sequence>& sequence) {
    return std::ranges::any_of(sequence->adapters, [&](const nn::AppliedAdapter& one) { return one.adapter == found->second.get(); });
  };
  if (std::ranges::any_of(waiting_, uses) || std::ranges::any_of(running_, uses))
    return Status::invalid(fmt::format("adapter: {}, answers under way use it; try again when they have ended", quoted(id)));
  adapters_.erase(found);
  return {};
}

Result<std::vector<nn::AppliedAdapter>> Engine::find_adapters(const std::vector<AdapterChoice>& choices) const {
  std::vector<nn::AppliedAdapter> adapters;
  std::vector<std::string> known;
  for (const auto& [id, adapter] : adapters_) known.push_back(id);
  for (const AdapterChoice& choice : choices) {
    const auto found = adapters_.find(choice.id);
    if (found == adapters_.end()) {
      return Status::not_found(fmt::format("adapter: {}, no such adapter is loaded; {}", quoted(choice.id),
                                           known.empty() ? "load it first" : "known are " + join(known, ", ")));
    }
    if (!std::isfinite(choice.weight)) return Status::invalid(fmt::format("adapter: the weight of {} is no number; correct it", choice.id));
    adapters.push_back({found->second.get(), choice.weight});
  }
  if (const std::string reason = nn::reason_against(adapters); !reason.empty()) return Status::invalid("adapter: " + reason);
  return adapters;
}

// They stand before the prompt, and only there.
Status Engine::put_virtual_tokens(const std::vector<nn::AppliedAdapter>& adapters, Request& request) const {
  const int64_t count = nn::num_virtual(adapters), length = count + static_cast<int64_t>(request.prompt.size());
  if (count == 0) return {};
  if (length >= context_) {
    return Status::out_of_range(
        fmt::format("prompt: {} tokens with the adapter's {}, the context of {} must hold them and one more; shorten "
                    "it or raise --context",
                    length, count, context_));
  }
  if (request.options.report_prompt) {
    return Status::invalid(
        "adapter: virtual tokens have no text, the prompt's tokens cannot be reported with them; leave one of the two out");
  }
  std::vector<int32_t> tokens(static_cast<size_t>(count));
  std::iota(tokens.begin(), tokens.end(), static_cast<int32_t>(model_.spec().vocab_size));
  request.prompt.insert(request.prompt.begin(), tokens.begin(), tokens.end());
  request.options.num_virtual = count;
  return {};
}

Result<Engine::RequestId> Engine::submit(Request request) {
  ATELIER_RETURN_IF_ERROR(check_request(request, model_, context_));
  ATELIER_TRY(std::vector<nn::AppliedAdapter> adapters, find_adapters(request.options.adapters));
  std::vector<int32_t> source = take_source(request);
  ATELIER_RETURN_IF_ERROR(put_virtual_tokens(adapters, request));
  nn::KvCache of_source(pool_, std::ssize(source));
  auto sequence = std::make_unique<Sequence>(next_id_, std::move(request), std::move(source), std::move(adapters),
                                             nn::KvCache(pool_, context_), std::move(of_source), tokenizer_);
  if (const int64_t pages = sequence->num_missing_pages(); pages > pool_->num_pages()) {
    return Status::out_of_range(fmt::format("KV memory: {} pages, the beams of this request may need {}; give more or limit the answer",
                                            pool_->num_pages(), pages));
  }
  sequence->queued_at_step = metrics_.steps;
  waiting_.push_back(std::move(sequence));
  is_stalled_ = false;
  ++metrics_.requests;
  return next_id_++;
}

// The prompt is what an encoder reads; the decoder's own is what its answer stands behind.
std::vector<int32_t> Engine::take_source(Request& request) const {
  if (!model_.has_encoder()) return {};
  std::vector<int32_t> source = std::move(request.prompt);
  request.prompt = request.options.decoder_prompt;
  if (request.prompt.empty()) request.prompt = {*model_.defaults().decoder_start};
  return source;
}

void Engine::set_paused(RequestId id, bool is_paused) {
  for (const Sequences* sequences : {&waiting_, &running_}) {
    for (const auto& sequence : *sequences) {
      if (sequence->id == id) sequence->is_paused = is_paused;
    }
  }
  if (!is_paused) is_stalled_ = false;
}

void Engine::cancel(RequestId id) {
  is_stalled_ = false;
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
  sequence.beam_caches.clear();
  sequence.cache.truncate(0);  // its memory is free before anybody hears of it
  sequence.source_cache.truncate(0);
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

Status Engine::save_prefixes(const std::string& path) const {
  if (!prefixes_) return Status::invalid("prefix cache: switched off, there is nothing to save; switch it on");
  return prefixes_->save(path, page_identity(model_));
}

Status Engine::restore_prefixes(const std::string& path) {
  if (!prefixes_) return Status::invalid("prefix cache: switched off, nothing can be restored; switch it on");
  return prefixes_->restore(path, page_identity(model_));
}

}  // namespace atelier::generate
