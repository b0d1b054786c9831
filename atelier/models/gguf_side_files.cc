#include <algorithm>
#include <array>
#include <string_view>

#include "atelier/base/strings.h"
#include "atelier/models/side_files.h"

namespace atelier::models {
namespace {

using tokenize::GgufVocabulary;

// An id of the vocabulary under `key`, or nothing when the key is absent. Ids outside the vocabulary are an error.
Status read_id(const format::Gguf& file, const char* key, size_t vocab_size, std::optional<tokenize::TokenId>& id) {
  if (!file.contains(key)) return Status::ok_status();
  ATELIER_TRY(const int64_t value, file.get_int(key));
  if (value == 0xffffffff) return Status::ok_status();  // llama.cpp's "none"
  if (value < 0 || value >= static_cast<int64_t>(vocab_size)) {
    return Status::corrupt(std::string("gguf: ") + key + " is " + std::to_string(value) + ", the vocabulary has " +
                           std::to_string(vocab_size));
  }
  id = static_cast<tokenize::TokenId>(value);
  return Status::ok_status();
}

Status read_flag(const format::Gguf& file, const char* key, std::optional<bool>& flag) {
  if (!file.contains(key)) return Status::ok_status();
  ATELIER_TRY(flag, file.get_bool(key));
  return Status::ok_status();
}

Status read_arrays(const format::Gguf& file, GgufVocabulary& vocabulary) {
  ATELIER_TRY(vocabulary.tokens, file.get_strings("tokenizer.ggml.tokens"));
  if (file.contains("tokenizer.ggml.scores")) {
    ATELIER_TRY(vocabulary.scores, file.get_floats("tokenizer.ggml.scores"));
  }
  if (file.contains("tokenizer.ggml.merges")) {
    ATELIER_TRY(vocabulary.merges, file.get_strings("tokenizer.ggml.merges"));
  }
  if (file.contains("tokenizer.ggml.token_type")) {
    ATELIER_TRY(const std::vector<int64_t> types, file.get_ints("tokenizer.ggml.token_type"));
    vocabulary.types.assign(types.begin(), types.end());
  }
  for (const size_t size : {vocabulary.scores.size(), vocabulary.types.size()}) {
    if (size != 0 && size != vocabulary.tokens.size()) {
      return Status::corrupt("gguf: the vocabulary has " + std::to_string(vocabulary.tokens.size()) + " tokens but " +
                             std::to_string(size) + " scores or types");
    }
  }
  if (const format::GgufValue* charsmap = file.find_value("tokenizer.ggml.precompiled_charsmap")) {
    vocabulary.precompiled_charsmap.assign(charsmap->bytes().begin(), charsmap->bytes().end());
  }
  return Status::ok_status();
}

// Tokens that end a turn in the chat formats of the models we run, where a file names only one of them.
constexpr std::array<std::string_view, 8> kTurnEnds = {"<|im_end|>", "<|eot_id|>",    "<|eom_id|>", "<end_of_turn>",
                                                       "<|end|>",    "<|endoftext|>", "</s>",       "<|end_of_text|>"};

}  // namespace

Result<GgufVocabulary> gguf_vocabulary(const format::Gguf& file) {
  GgufVocabulary vocabulary;
  ATELIER_TRY(vocabulary.model, file.get_string("tokenizer.ggml.model"));
  ATELIER_TRY(vocabulary.pre, file.get_string("tokenizer.ggml.pre", "default"));
  ATELIER_RETURN_IF_ERROR(read_arrays(file, vocabulary));
  const std::pair<const char*, std::optional<tokenize::TokenId>*> ids[] = {
      {"tokenizer.ggml.bos_token_id", &vocabulary.bos},     {"tokenizer.ggml.eos_token_id", &vocabulary.eos},
      {"tokenizer.ggml.unknown_token_id", &vocabulary.unk}, {"tokenizer.ggml.seperator_token_id", &vocabulary.sep},
      {"tokenizer.ggml.padding_token_id", &vocabulary.pad}, {"tokenizer.ggml.cls_token_id", &vocabulary.cls},
      {"tokenizer.ggml.mask_token_id", &vocabulary.mask}};
  for (const auto& [key, id] : ids) ATELIER_RETURN_IF_ERROR(read_id(file, key, vocabulary.tokens.size(), *id));
  const std::pair<const char*, std::optional<bool>*> flags[] = {
      {"tokenizer.ggml.add_bos_token", &vocabulary.add_bos},
      {"tokenizer.ggml.add_eos_token", &vocabulary.add_eos},
      {"tokenizer.ggml.add_space_prefix", &vocabulary.add_space_prefix},
      {"tokenizer.ggml.remove_extra_whitespaces", &vocabulary.remove_extra_whitespaces}};
  for (const auto& [key, flag] : flags) ATELIER_RETURN_IF_ERROR(read_flag(file, key, *flag));
  return vocabulary;
}

Result<SideFiles> gguf_side_files(const format::Gguf& file) {
  SideFiles out;
  ATELIER_TRY(out.chat_template, file.get_string("tokenizer.chat_template", ""));
  Result<GgufVocabulary> vocabulary = gguf_vocabulary(file);
  if (!vocabulary.ok()) {
    if (file.contains("tokenizer.ggml.model")) out.tokenizer = vocabulary.status();
    return out;
  }
  for (const char* key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
    std::optional<tokenize::TokenId> id;
    ATELIER_RETURN_IF_ERROR(read_id(file, key, vocabulary->tokens.size(), id));
    if (id) out.defaults.stop_ids.push_back(*id);
  }
  constexpr int32_t kControl = 3;
  for (size_t id = 0; id < vocabulary->types.size(); ++id) {
    const bool is_turn_end = vocabulary->types[id] == kControl && std::ranges::find(kTurnEnds, vocabulary->tokens[id]) != kTurnEnds.end();
    if (is_turn_end) out.defaults.stop_ids.push_back(static_cast<int32_t>(id));
  }
  std::vector<int32_t>& stops = out.defaults.stop_ids;
  std::sort(stops.begin(), stops.end());
  stops.erase(std::unique(stops.begin(), stops.end()), stops.end());
  out.tokenizer = tokenize::Tokenizer::from_gguf(*std::move(vocabulary), file.path());
  return out;
}

}  // namespace atelier::models
