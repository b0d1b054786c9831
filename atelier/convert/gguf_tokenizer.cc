#include "atelier/convert/gguf_tokenizer.h"

#include <algorithm>
#include <optional>

#include "atelier/convert/vocabulary_pieces.h"

namespace atelier::convert {
namespace {

// A special token of tokenizer_config.json: a string, or an object with its content.
std::optional<std::string> special_token(const Json& config, const char* key) {
  const Json* found = config.find(key);
  if (found != nullptr && found->is_object()) found = found->find("content");
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return found->as_string();
}

void set_special_ids(const Json& tokenizer_config, const Json& config, const VocabularyPieces& pieces, format::GgufMetadata& metadata) {
  const struct {
    const char *token_key, *id_key, *gguf_key;
  } kIds[] = {{"bos_token", "bos_token_id", "tokenizer.ggml.bos_token_id"},
              {"eos_token", "eos_token_id", "tokenizer.ggml.eos_token_id"},
              {"unk_token", nullptr, "tokenizer.ggml.unknown_token_id"},
              {"pad_token", "pad_token_id", "tokenizer.ggml.padding_token_id"}};
  for (const auto& [token_key, id_key, gguf_key] : kIds) {
    if (const std::optional<std::string> token = special_token(tokenizer_config, token_key)) {
      const auto found = std::ranges::find(pieces.tokens, *token);
      if (found != pieces.tokens.end()) metadata.set_uint32(gguf_key, static_cast<uint32_t>(found - pieces.tokens.begin()));
      continue;
    }
    const Json* id = id_key != nullptr ? config.find(id_key) : nullptr;
    if (id != nullptr && id->is_array() && !id->as_array().empty()) id = &id->as_array()[0];
    const bool is_id = id != nullptr && id->is_int() && id->as_int() >= 0 && id->as_int() < static_cast<int64_t>(pieces.tokens.size());
    if (is_id) metadata.set_uint32(gguf_key, static_cast<uint32_t>(id->as_int()));
  }
}

}  // namespace

Status add_tokenizer(const std::string& folder, const models::Model& model, format::GgufMetadata& metadata) {
  ATELIER_TRY(const std::optional<VocabularyPieces> pieces, read_vocabulary_pieces(folder, model.spec().vocab_size));
  if (!pieces) {
    if (model.tokenizer().ok())
      return Status::unsupported(folder + ": its tokenizer cannot be written into GGUF; save it as tokenizer.json");
    metadata.set_string("tokenizer.ggml.model", "none");
    return Status::ok_status();
  }
  metadata.set_string("tokenizer.ggml.model", pieces->is_sentencepiece ? "llama" : "gpt2");
  metadata.set_string("tokenizer.ggml.pre", pieces->pre);
  metadata.set_strings("tokenizer.ggml.tokens", pieces->tokens);
  metadata.set_int32s("tokenizer.ggml.token_type", pieces->types);
  if (pieces->is_sentencepiece) {
    metadata.set_float32s("tokenizer.ggml.scores", pieces->scores);
    metadata.set_bool("tokenizer.ggml.add_space_prefix", pieces->adds_space_prefix);
  } else {
    metadata.set_strings("tokenizer.ggml.merges", pieces->merges);
  }
  ATELIER_TRY(const Json tokenizer_config, read_optional_json(folder, "tokenizer_config.json"));
  ATELIER_TRY(const Json config, read_optional_json(folder, "config.json"));
  set_special_ids(tokenizer_config, config, *pieces, metadata);
  metadata.set_bool("tokenizer.ggml.add_bos_token", model.adds_bos());
  if (!model.chat_template().empty()) metadata.set_string("tokenizer.chat_template", model.chat_template());
  return Status::ok_status();
}

}  // namespace atelier::convert
