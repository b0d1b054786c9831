// A model ready to run: decoder, encoder or both, tokenizer, chat template and generation defaults, from a GGUF file or a Hugging Face
// folder.
//
//   ATELIER_TRY(auto model, models::load_model("smollm2-135m-instruct", {}));
//   ATELIER_TRY(nn::KvCache cache, model->new_cache());
//   ATELIER_TRY(std::span<const float> logits, model->forward(ids, cache, 1));      // of the last id
//
// An encoder has no cache: its runs are whole documents.
//
//   const nn::RowRun document{nullptr, num_ids};
//   ATELIER_RETURN_IF_ERROR(model->run(ids, std::span(&document, 1)));
//   ... model->hidden(), model->logits(rows), model->task_logits() ...
//
// A decoder with an encoder attends to a source, which is read once into a cache of its own:
//
//   ATELIER_TRY(nn::KvCache source, model->new_cache(num_source_ids));
//   const nn::SourceRun run{&source, num_source_ids};
//   ATELIER_RETURN_IF_ERROR(model->read_sources(source_ids, std::span(&run, 1)));
//   const nn::RowRun rows{.cache = &cache, .num_rows = num_ids, .source = &source};
//
// One owner thread calls forward; what it returns lives until the next call.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/format/checkpoint.h"
#include "atelier/models/arch.h"
#include "atelier/nn/transformer.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::models {

struct LoadOptions {
  Precision precision = Precision::kAuto;
  std::optional<DType> kv;  // KV cache: F32, F16 or Q8_0; default F16, F32 with Precision::kF32
  bool is_to_run = true;  // false: weights stay as the files have them, to be looked at or converted; nothing is read before it is touched
  std::optional<DType> type = {};  // what float matrices of a model that is to run become: BF16 or a block type; none: as stored
  int64_t context = 0;             // planned context in tokens; 0: what the model was made for (its original length under dynamic scaling)
};

// What the files say about generating: transformers' generation_config.json or GGUF's token ids.
struct GenerationDefaults {
  std::vector<int32_t> stop_ids;  // end of sequence and end of turn
  std::optional<double> temperature, top_p, min_p, repetition_penalty;
  std::optional<int64_t> top_k;
  std::optional<bool> do_sample;
  // Of decoders with an encoder.
  std::optional<int32_t> decoder_start;              // stands before every answer
  std::optional<int32_t> forced_first, forced_last;  // tokens of an answer, the last one at its greatest length
  std::optional<int64_t> num_beams, no_repeat_ngram;
  std::optional<int64_t> min_length, max_length;  // of an answer with decoder_start
  std::optional<double> length_penalty;
  std::optional<bool> early_stopping;
  std::vector<int32_t> banned_ids;  // are never said
};

class Model {
 public:
  const ArchDef& arch() const { return *arch_; }
  const nn::TransformerSpec& spec() const { return transformer_->spec(); }
  const nn::Transformer& transformer() const { return *transformer_; }
  const format::Checkpoint& checkpoint() const { return *checkpoint_; }
  const std::string& path() const { return path_; }
  Layout layout() const { return layout_; }
  Precision precision() const { return precision_; }
  int64_t context() const { return context_; }  // planned context: the default size of new_cache(); of an encoder: its longest document
  bool is_encoder() const { return spec().mask == nn::MaskKind::kBidirectional; }
  bool has_encoder() const { return spec().has_encoder(); }
  int64_t max_source() const;  // tokens of a source, with an encoder
  DType kv_dtype() const { return kv_dtype_; }

  // The tokenizer, or why there is none (a folder without one still answers `logits --ids`).
  Result<const tokenize::Tokenizer*> tokenizer() const;
  // Source of the chat template; empty when the model has none.
  const std::string& chat_template() const { return chat_template_; }
  const GenerationDefaults& defaults() const { return defaults_; }
  bool adds_bos() const { return adds_bos_; }  // encode() puts BOS first

  Result<nn::KvCache> new_cache(int64_t context = 0) const;  // 0: context(); on a pool of its own
  Result<std::shared_ptr<nn::KvPool>> new_pool(int64_t num_pages) const;

  // Runs `ids` behind what `cache` holds and returns the logits of the last num_logits of them, [num_logits, V] row-major.
  // Errors: an id outside the vocabulary; no room in the cache (then nothing has run).
  Result<std::span<const float>> forward(std::span<const int32_t> ids, nn::KvCache& cache, int64_t num_logits = 1);

  // With an encoder: reads sources laid one after the other and stores what the decoder attends to of each. hidden() are the encoder's
  // states then. Errors: an id outside the vocabulary; a source that is empty or too long; no room in a cache (then nothing has run).
  Status read_sources(std::span<const int32_t> ids, std::span<const nn::SourceRun> sources);

  // The same for several sequences at once, with a cache each or whole documents without any: ids run after run; logits of the rows listed
  // in `logit_rows`, in that order.
  Result<std::span<const float>> forward_batch(std::span<const int32_t> ids, std::span<const nn::RowRun> runs,
                                               std::span<const int64_t> logit_rows);

  // forward_batch in two steps, for more rows than one should hold the logits of: run() stores keys and values, the others may then be
  // asked about it again and again. Each invalidates what the others returned, but hidden().
  Status run(std::span<const int32_t> ids, std::span<const nn::RowRun> runs);
  const Tensor& hidden() const { return hidden_; }               // [T, C]
  std::span<const float> logits(std::span<const int64_t> rows);  // [rows.size(), V], where the spec has a language head
  std::span<const float> pooled();                               // [B, C], where it has a pooler
  std::span<const float> task_logits();                          // [B, N] or [T, N] (nn/heads.h), where it has a task's head

  // Runs ids as one document, without a cache and in float32 whatever the model was loaded for, and shows `probe` what happens.
  Status look(std::span<const int32_t> ids, nn::Probe& probe);

 private:
  Status check_ids(std::span<const int32_t> ids, int64_t vocab_size) const;

  friend class ModelLoader;
  Model() = default;
  Status check_document(const nn::RowRun& run) const;

  std::string path_;
  Layout layout_ = Layout::kGguf;
  const ArchDef* arch_ = nullptr;
  std::shared_ptr<const format::Checkpoint> checkpoint_;
  std::unique_ptr<nn::Transformer> transformer_;
  Precision precision_ = Precision::kAuto;
  DType kv_dtype_ = DType::kF16;
  int64_t context_ = 0;
  std::unique_ptr<tokenize::Tokenizer> tokenizer_;
  Status tokenizer_status_;
  bool adds_bos_ = false;
  std::string chat_template_;
  GenerationDefaults defaults_;
  Arena arena_;
  Tensor hidden_;          // [T, C] of the last run()
  Arena::Mark after_run_;  // what logits() rewinds to
  // Rows [begin, end) of the last run() whose adapter has a head of its own.
  struct OwnHead {
    int64_t begin, end;
    Tensor head;
  };
  void note_heads(std::span<const nn::RowRun> runs);
  std::vector<OwnHead> own_heads_;
};

// What a config.json says without weights beside it.
struct ConfigModel {
  const ArchDef* arch;
  nn::TransformerSpec spec;
  int64_t num_parameters;
};
Result<ConfigModel> read_config_model(const std::string& config_path);

// `path` is a .gguf file or a Hugging Face folder (names of the store are resolved by models/store.h before).
Result<std::unique_ptr<Model>> load_model(const std::string& path, const LoadOptions& options);

}  // namespace atelier::models
