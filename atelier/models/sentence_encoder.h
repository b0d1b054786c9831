// Texts to vectors: a model with the pooling, normalisation and prompts that a sentence-transformers folder or a GGUF file states.
//
//   ATELIER_TRY(SentenceSettings settings, read_sentence_settings(*model));
//   ATELIER_TRY(SentenceEncoder encoder, SentenceEncoder::create(*model, settings));
//   ATELIER_RETURN_IF_ERROR(encoder.encode(texts, vectors));
//
// Texts are sorted by length and packed end to end, so that no row is padding; a text's vector has the bits that it has alone.
// Source   Reimers & Gurevych 2019, arXiv:1908.10084
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/function_ref.h"
#include "atelier/base/status.h"
#include "atelier/models/model.h"

namespace atelier::models {

enum class Pooling : uint8_t { kMean, kFirst, kLast };

struct SentenceSettings {
  Pooling pooling = Pooling::kMean;
  bool is_normalized = false;                  // vectors of length 1
  int64_t max_length = 0;                      // tokens of a text, special ones included; what is beyond is cut off
  std::map<std::string, std::string> prompts;  // by name: "query" -> "query: "
  std::string prompt;                          // put before every text
};

// From modules.json and what it names, or a GGUF file's metadata; without either, the mean of all rows, as it is.
// Unsupported: modules that do something else (a Dense layer, several poolings side by side).
Result<SentenceSettings> read_sentence_settings(const Model& model);

struct EncodeCounts {
  int64_t texts = 0, tokens = 0, cut_texts = 0;
  double tokenize_s = 0, compute_s = 0;
};

// A text as the model reads it.
struct EncodedText {
  std::vector<int32_t> ids;  // the prompt before it, special tokens around, cut to max_length
  int64_t num_tokens = 0;    // without the cut
  bool is_cut() const { return num_tokens > static_cast<int64_t>(ids.size()); }
};

class SentenceEncoder {
 public:
  // The model outlives the encoder. An error where it has no tokenizer or takes no texts of max_length.
  static Result<SentenceEncoder> create(Model& model, SentenceSettings settings);

  int64_t width() const { return model_->spec().width; }
  const SentenceSettings& settings() const { return settings_; }
  const EncodeCounts& counts() const { return counts_; }  // of all calls

  // vectors[i * width() ...] is that of texts[i]. `proceed` is asked before each batch; false ends with Cancelled.
  Status encode(std::span<const std::string> texts, std::span<float> vectors, FunctionRef<bool()> proceed);

  // The two halves of it. Of any thread: the ids of one text.
  Result<EncodedText> tokenize(std::string_view text) const;
  // The same of tokens that the caller has; nothing is put around them.
  EncodedText cut(std::vector<int32_t> ids) const;
  // Of the owner thread: vectors of ids, none of them empty or longer than max_length.
  Status encode_ids(std::span<const std::vector<int32_t>> ids, std::span<float> vectors, FunctionRef<bool()> proceed);

 private:
  SentenceEncoder(Model& model, const tokenize::Tokenizer& tokenizer, SentenceSettings settings)
      : model_(&model), tokenizer_(&tokenizer), settings_(std::move(settings)) {}
  Result<std::vector<std::vector<int32_t>>> tokenize_batch(std::span<const std::string> texts);
  Result<EncodedText> framed(std::vector<int32_t> ids) const;
  void pool(std::span<const size_t> batch, std::span<const std::vector<int32_t>> ids, std::span<float> vectors) const;

  Model* model_;
  const tokenize::Tokenizer* tokenizer_;
  SentenceSettings settings_;
  EncodeCounts counts_;
};

}  // namespace atelier::models
