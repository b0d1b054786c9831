// Hugging Face's tokenizer.json, version "1.0", to a pipeline.
//
//   { "added_tokens": […], "normalizer": {…}, "pre_tokenizer": {…}, "model": {…}, "post_processor": {…}, "decoder": {…} }
//
// `truncation` and `padding` are batch settings that transformers switches off when it loads a file: they are not read. `dropout`
// of a BPE model belongs to training and is not applied.
#include "atelier/base/strings.h"
#include "atelier/tokenize/json_models.h"
#include "atelier/tokenize/json_pattern.h"
#include "atelier/tokenize/pipeline.h"
#include "atelier/tokenize/tokenizer_config.h"

namespace atelier::tokenize {
namespace {

Result<AddedToken> parse_added_token(const Json& json, size_t num_tokens, const std::string& name) {
  AddedToken token;
  ATELIER_TRY(const int64_t id, json.get_int("id"));
  ATELIER_RETURN_IF_ERROR(Vocabulary::check_id(id, num_tokens, name + ": added_tokens"));
  token.id = static_cast<TokenId>(id);
  ATELIER_TRY(token.content, json.get_string("content"));
  ATELIER_TRY(token.single_word, json.get_bool("single_word", false));
  ATELIER_TRY(token.lstrip, json.get_bool("lstrip", false));
  ATELIER_TRY(token.rstrip, json.get_bool("rstrip", false));
  ATELIER_TRY(token.special, json.get_bool("special", false));
  ATELIER_TRY(token.normalized, json.get_bool("normalized", !token.special));
  return token;
}

Status parse_added_tokens(const Json& json, PipelineParts& parts, const std::string& name) {
  const Json* tokens = json.find("added_tokens");
  if (tokens == nullptr || tokens->is_null()) return {};
  ATELIER_TRY(const Json::Array* entries, get_array(json, "added_tokens", name));
  const size_t num_tokens = static_cast<size_t>(parts.model->vocabulary().size()) + entries->size();
  for (const Json& entry : *entries) {
    ATELIER_TRY(AddedToken token, parse_added_token(entry, num_tokens, name));
    if (!token.content.empty()) parts.added_tokens.push_back(std::move(token));
  }
  return {};
}

// The member `key` when it is there and not null.
const Json* find_part(const Json& json, const char* key) {
  const Json* part = json.find(key);
  return part == nullptr || part->is_null() ? nullptr : part;
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> Tokenizer::from_tokenizer_json(std::string_view json_text, const std::string& name,
                                                                  std::string_view config_json) {
  ATELIER_TRY(const Json json, Json::parse(json_text, name));
  const Json* model = find_part(json, "model");
  if (model == nullptr || !model->is_object()) return Status::corrupt(name + ": has no model object");
  PipelineParts parts;
  ATELIER_TRY(parts.model, create_model(*model, name));
  ATELIER_RETURN_IF_ERROR(parse_added_tokens(json, parts, name));
  if (const Json* part = find_part(json, "normalizer")) {
    ATELIER_TRY(parts.normalizer, create_normalizer(*part, name + ": normalizer"));
  }
  if (const Json* part = find_part(json, "pre_tokenizer")) {
    ATELIER_TRY(parts.pre_tokenizer, create_pre_tokenizer(*part, name + ": pre_tokenizer"));
  }
  if (const Json* part = find_part(json, "post_processor")) {
    ATELIER_TRY(parts.post_processor, create_post_processor(*part, name));
  }
  if (const Json* part = find_part(json, "decoder")) {
    ATELIER_RETURN_IF_ERROR(append_decoders(*part, name + ": decoder", parts.decoders));
  }
  parts.kind = parts.model->name() + " (tokenizer.json)";
  ATELIER_RETURN_IF_ERROR(apply_tokenizer_config(config_json, name, parts));
  return PipelineTokenizer::create(std::move(parts));
}

}  // namespace atelier::tokenize
