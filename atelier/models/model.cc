#include "atelier/models/model.h"

#include <algorithm>
#include <cstring>

#include "atelier/base/error.h"
#include "atelier/base/strings.h"

namespace atelier::models {

namespace {

Status refuse_to_generate(const Model& model) {
  if (!model.is_encoder()) return {};
  return Status::unsupported(std::string(model.arch().name) +
                             " is an encoder, which writes no text; use embed, fill, classify, tag or answer");
}

std::span<const float> values_of(const Tensor& x) { return {x.f32(), static_cast<size_t>(x.count())}; }

}  // namespace

Result<const tokenize::Tokenizer*> Model::tokenizer() const {
  if (!tokenizer_status_.ok()) return tokenizer_status_;
  return static_cast<const tokenize::Tokenizer*>(tokenizer_.get());
}

Result<nn::KvCache> Model::new_cache(int64_t context) const {
  ATELIER_RETURN_IF_ERROR(refuse_to_generate(*this));
  return nn::KvCache::create(spec(), kv_dtype_, context > 0 ? context : context_);
}

Result<std::shared_ptr<nn::KvPool>> Model::new_pool(int64_t num_pages) const {
  ATELIER_RETURN_IF_ERROR(refuse_to_generate(*this));
  return nn::KvPool::create(spec(), kv_dtype_, num_pages);
}

// A run without a cache: not too long, with segments that the model knows.
Status Model::check_document(const nn::RowRun& run) const {
  if (run.num_rows < 1 || run.num_rows > context_) {
    return Status::out_of_range("document: " + std::to_string(run.num_rows) + " tokens, must be 1 to " + std::to_string(context_) +
                                "; cut it into shorter texts");
  }
  if (!run.segments.empty() && static_cast<int64_t>(run.segments.size()) != run.num_rows) {
    return Status::invalid("document: " + std::to_string(run.segments.size()) + " segments for " + std::to_string(run.num_rows) +
                           " tokens");
  }
  for (const int32_t segment : run.segments) {
    if (segment < 0 || segment >= std::max<int64_t>(1, spec().num_segments)) {
      return Status::invalid("document: segment " + std::to_string(segment) + ", this model has " + std::to_string(spec().num_segments));
    }
  }
  return {};
}

Result<std::span<const float>> Model::forward(std::span<const int32_t> ids, nn::KvCache& cache, int64_t num_logits) {
  const auto rows = static_cast<int64_t>(ids.size());
  const nn::RowRun run{&cache, rows};
  std::vector<int64_t> logit_rows;
  for (int64_t row = std::max<int64_t>(0, rows - num_logits); row < rows; ++row) logit_rows.push_back(row);
  return forward_batch(ids, std::span(&run, 1), logit_rows);
}

Result<std::span<const float>> Model::forward_batch(std::span<const int32_t> ids, std::span<const nn::RowRun> runs,
                                                    std::span<const int64_t> logit_rows) {
  ATELIER_RETURN_IF_ERROR(run(ids, runs));
  return logits(logit_rows);
}

Status Model::check_ids(std::span<const int32_t> ids, int64_t vocab_size) const {
  for (const int32_t id : ids) {
    if (id < 0 || id >= vocab_size) {
      return Status::invalid("token id " + std::to_string(id) + " is outside the vocabulary of " + std::to_string(spec().vocab_size));
    }
  }
  return {};
}

int64_t Model::max_source() const {
  const nn::TransformerSpec& encoder = spec().encoder.at(0);
  return encoder.position == nn::PositionKind::kLearned ? encoder.max_context : std::max(encoder.max_context, context_);
}

Status Model::read_sources(std::span<const int32_t> ids, std::span<const nn::SourceRun> sources) {
  if (!has_encoder()) return Status::invalid(std::string(arch_->name) + " has no encoder, it reads no source; give a prompt");
  ATELIER_RETURN_IF_ERROR(check_ids(ids, spec().encoder[0].vocab_size));
  std::vector<nn::RowRun> runs;
  for (const nn::SourceRun& source : sources) {
    if (source.num_rows < 1 || source.num_rows > max_source()) {
      return Status::out_of_range("source: " + std::to_string(source.num_rows) + " tokens, must be 1 to " + std::to_string(max_source()) +
                                  "; cut it into shorter texts");
    }
    if (source.num_rows > source.cache->context() || !source.cache->reserve(source.num_rows)) {
      return Status::out_of_range("KV cache: no room for a source of " + std::to_string(source.num_rows) + " tokens; use a larger pool");
    }
    runs.push_back({.cache = nullptr, .num_rows = source.num_rows});
  }
  arena_.reset();
  own_heads_.clear();
  Context context{arena_, precision_};
  hidden_ = transformer_->encode(context, ids, runs);
  transformer_->store_sources(context, hidden_, sources);
  after_run_ = arena_.mark();
  return {};
}

Status Model::look(std::span<const int32_t> ids, nn::Probe& probe) {
  if (has_encoder()) return Status::unsupported(std::string(arch_->name) + " has an encoder; only decoders can be looked into");
  ATELIER_RETURN_IF_ERROR(check_ids(ids, spec().vocab_size));
  arena_.reset();
  Context context{arena_, Precision::kF32};
  const nn::RowRun document{nullptr, static_cast<int64_t>(ids.size())};
  hidden_ = transformer_->forward(context, ids, std::span(&document, 1), {}, &probe);
  after_run_ = arena_.mark();
  return {};
}

Status Model::run(std::span<const int32_t> ids, std::span<const nn::RowRun> runs) {
  size_t next = 0;
  for (const nn::RowRun& run : runs) {
    const int64_t vocab_size = spec().vocab_size + nn::num_virtual(run.adapters);
    ATELIER_RETURN_IF_ERROR(check_ids(ids.subspan(next, static_cast<size_t>(run.num_rows)), vocab_size));
    if (has_encoder() && (run.source == nullptr || run.source->length() == 0)) {
      return Status::invalid(std::string(arch_->name) + " has an encoder, which has read no source; use translate or generate");
    }
    next += static_cast<size_t>(run.num_rows);
    if (run.cache == nullptr) {
      ATELIER_RETURN_IF_ERROR(check_document(run));
      continue;
    }
    const int64_t length = run.cache->length() + run.num_rows;
    if (length > run.cache->context()) {
      return Status::out_of_range("context full: " + std::to_string(run.cache->length()) + " + " + std::to_string(run.num_rows) +
                                  " tokens do not fit into " + std::to_string(run.cache->context()) + "; use a larger --context");
    }
    if (!run.cache->reserve(run.num_rows)) {
      return Status::out_of_range("KV cache: no free page for " + std::to_string(length) +
                                  " tokens of a sequence, all are in use; end another sequence or use a larger pool");
    }
  }
  arena_.reset();
  Context context{arena_, precision_};
  hidden_ = transformer_->forward(context, ids, runs);
  after_run_ = arena_.mark();
  note_heads(runs);
  return {};
}

void Model::note_heads(std::span<const nn::RowRun> runs) {
  own_heads_.clear();
  int64_t row = 0;
  for (const nn::RowRun& run : runs) {
    for (const nn::AppliedAdapter& applied : run.adapters) {
      if (applied.adapter->head) own_heads_.push_back({row, row + run.num_rows, applied.adapter->head});
    }
    row += run.num_rows;
  }
}

std::span<const float> Model::logits(std::span<const int64_t> rows) {
  ATELIER_CHECK(spec().has_language_head);
  if (rows.empty()) return {};
  arena_.rewind(after_run_);
  Context context{arena_, precision_};
  Tensor wanted = arena_.empty_f32({static_cast<int64_t>(rows.size()), spec().width});
  for (size_t i = 0; i < rows.size(); ++i) {
    ATELIER_CHECK(rows[i] >= 0 && rows[i] < hidden_.dim(0));
    std::memcpy(wanted.f32() + static_cast<int64_t>(i) * spec().width, hidden_.f32() + rows[i] * spec().width,
                static_cast<size_t>(spec().width) * sizeof(float));
  }
  Tensor logits = transformer_->logits(context, wanted);
  for (const OwnHead& own : own_heads_) {
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] < own.begin || rows[i] >= own.end) continue;
      const auto row = static_cast<int64_t>(i);
      const Tensor answer = transformer_->logits(context, wanted.rows(row, row + 1), own.head);
      std::memcpy(logits.f32() + row * logits.dim(1), answer.f32(), static_cast<size_t>(answer.num_bytes()));
    }
  }
  return values_of(logits);
}

std::span<const float> Model::pooled() {
  ATELIER_CHECK(spec().has_pooler);
  arena_.rewind(after_run_);
  Context context{arena_, precision_};
  return values_of(transformer_->pool(context, hidden_));
}

std::span<const float> Model::task_logits() {
  ATELIER_CHECK(spec().head.kind != nn::HeadKind::kNone);
  arena_.rewind(after_run_);
  Context context{arena_, precision_};
  return values_of(transformer_->task_logits(context, hidden_));
}

}  // namespace atelier::models
