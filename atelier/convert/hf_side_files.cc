#include "atelier/convert/hf_side_files.h"

#include <algorithm>
#include <array>

#include "atelier/convert/hf_tokenizer.h"
#include "atelier/format/gguf.h"
#include "atelier/io/atomic_file.h"
#include "atelier/io/file.h"
#include "atelier/models/side_files.h"

namespace atelier::convert {
namespace {

constexpr std::array kSideFiles = {
    "tokenizer.json", "tokenizer_config.json",   "tokenizer.model",        "vocab.json",         "merges.txt",
    "vocab.txt",      "special_tokens_map.json", "generation_config.json", "chat_template.jinja"};

// An empty vocabulary where the file has none.
Result<tokenize::GgufVocabulary> vocabulary_of(const format::Gguf& file) {
  if (!file.contains("tokenizer.ggml.tokens")) return tokenize::GgufVocabulary();
  return models::gguf_vocabulary(file);
}

void set_ids(const tokenize::GgufVocabulary& vocabulary, Json& config) {
  const auto id = [](const std::optional<tokenize::TokenId>& token) { return token ? Json(static_cast<int64_t>(*token)) : Json(); };
  config.set("bos_token_id", id(vocabulary.bos)).set("eos_token_id", id(vocabulary.eos)).set("pad_token_id", id(vocabulary.pad));
}

Json generation_config(const models::GenerationDefaults& defaults, const tokenize::GgufVocabulary& vocabulary) {
  Json out = Json::object();
  set_ids(vocabulary, out);
  Json stops = Json::array();
  for (const int32_t id : defaults.stop_ids) stops.push_back(static_cast<int64_t>(id));
  if (!stops.as_array().empty()) out.set("eos_token_id", std::move(stops));
  return out;
}

// Empty texts where the file has no vocabulary.
Result<TokenizerFiles> tokenizer_of_gguf(const models::Model& model, const tokenize::GgufVocabulary& vocabulary) {
  if (vocabulary.tokens.empty()) return TokenizerFiles();
  ATELIER_TRY(const Json tokenizer, hf_tokenizer(vocabulary, model.adds_bos()));
  return TokenizerFiles{tokenizer.dump(1) + "\n", hf_tokenizer_config(vocabulary, model.spec().max_context).dump(2) + "\n"};
}

Status write_from_gguf(const models::Model& model, const format::Gguf& file, const std::string& folder) {
  const auto write = [&](const char* name, const std::string& text) { return io::write_file(io::join_path(folder, name), text); };
  ATELIER_TRY(const tokenize::GgufVocabulary vocabulary, vocabulary_of(file));
  ATELIER_TRY(const TokenizerFiles tokenizer, tokenizer_of_gguf(model, vocabulary));
  if (!tokenizer.tokenizer.empty()) {
    ATELIER_RETURN_IF_ERROR(write("tokenizer.json", tokenizer.tokenizer));
    ATELIER_RETURN_IF_ERROR(write("tokenizer_config.json", tokenizer.config));
  }
  if (!model.chat_template().empty()) ATELIER_RETURN_IF_ERROR(write("chat_template.jinja", model.chat_template()));
  return write("generation_config.json", generation_config(model.defaults(), vocabulary).dump(2) + "\n");
}

Status copy_from_folder(const std::string& source, const std::string& folder) {
  for (const char* name : kSideFiles) {
    const std::string path = io::join_path(source, name);
    if (!io::is_file(path)) continue;
    ATELIER_TRY(const std::string text, io::read_file(path));
    ATELIER_RETURN_IF_ERROR(io::write_file(io::join_path(folder, name), text));
  }
  return {};
}

}  // namespace

Status write_hf_side_files(const models::Model& model, const std::string& folder) {
  const format::Gguf* file = model.checkpoint().as_gguf();
  return file ? write_from_gguf(model, *file, folder) : copy_from_folder(model.path(), folder);
}

Result<TokenizerFiles> hf_tokenizer_files(const models::Model& model) {
  TokenizerFiles files;
  if (const format::Gguf* file = model.checkpoint().as_gguf()) {
    ATELIER_TRY(const tokenize::GgufVocabulary vocabulary, vocabulary_of(*file));
    ATELIER_TRY(files, tokenizer_of_gguf(model, vocabulary));
  } else {
    const std::string tokenizer = io::join_path(model.path(), "tokenizer.json"),
                      config = io::join_path(model.path(), "tokenizer_config.json");
    if (io::is_file(tokenizer)) {
      ATELIER_TRY(files.tokenizer, io::read_file(tokenizer));
    }
    if (io::is_file(config)) {
      ATELIER_TRY(files.config, io::read_file(config));
    }
  }
  if (files.tokenizer.empty()) return Status::unsupported(model.path() + ": has no tokenizer.json; convert its tokenizer first");
  return files;
}

Status set_token_ids(const models::Model& model, Json& config) {
  const format::Gguf* file = model.checkpoint().as_gguf();
  if (!file) return {};
  ATELIER_TRY(const tokenize::GgufVocabulary vocabulary, vocabulary_of(*file));
  set_ids(vocabulary, config);
  return {};
}

}  // namespace atelier::convert
