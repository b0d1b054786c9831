#include "atelier/tokenize/tokenizer_config.h"

#include <algorithm>

#include "atelier/base/strings.h"

namespace atelier::tokenize {
namespace {

std::optional<TokenId> find_token(const PipelineParts& parts, const std::string& content) {
  for (const AddedToken& token : parts.added_tokens) {
    if (token.content == content) return token.id;
  }
  return parts.model->vocabulary().find(content);
}

bool is_added(const PipelineParts& parts, const std::string& content) {
  return std::any_of(parts.added_tokens.begin(), parts.added_tokens.end(),
                     [&](const AddedToken& token) { return token.content == content; });
}

Status parse_flags(const Json& json, AddedToken& token) {
  ATELIER_TRY(token.single_word, json.get_bool("single_word", false));
  ATELIER_TRY(token.lstrip, json.get_bool("lstrip", false));
  ATELIER_TRY(token.rstrip, json.get_bool("rstrip", false));
  ATELIER_TRY(token.special, json.get_bool("special", token.special));
  ATELIER_TRY(token.normalized, json.get_bool("normalized", !token.special));
  return {};
}

// {"32000": {"content": "<pad>", "special": true, …}, …}
Status add_decoder_entries(const Json& config, const std::string& name, PipelineParts& parts) {
  const Json* entries = config.find("added_tokens_decoder");
  if (entries == nullptr || !entries->is_object()) return {};
  const size_t num_tokens = static_cast<size_t>(parts.model->vocabulary().size()) + parts.added_tokens.size() + entries->as_object().size();
  for (const auto& [key, json] : entries->as_object()) {
    AddedToken token;
    ATELIER_TRY(token.content, json.get_string("content"));
    const std::optional<int64_t> id = parse_int(key);
    if (!id) return Status::corrupt(name + ": added_tokens_decoder: " + quoted(key) + " is no id");
    ATELIER_RETURN_IF_ERROR(Vocabulary::check_id(*id, num_tokens, name));
    if (token.content.empty() || is_added(parts, token.content)) continue;
    token.id = static_cast<TokenId>(*id);
    ATELIER_RETURN_IF_ERROR(parse_flags(json, token));
    parts.added_tokens.push_back(std::move(token));
  }
  return {};
}

// A named token: a string, or an object with its flags. Empty when it is absent.
Result<AddedToken> parse_named_token(const Json& config, const char* key) {
  AddedToken token{.normalized = false, .special = true};
  const Json* json = config.find(key);
  if (json == nullptr || json->is_null()) return token;
  if (!json->is_object()) {
    ATELIER_TRY(token.content, config.get_string(key));
    return token;
  }
  ATELIER_TRY(token.content, json->get_string("content"));
  ATELIER_RETURN_IF_ERROR(parse_flags(*json, token));
  token.special = true;
  return token;
}

// Special tokens that are named but not listed become added tokens; what no vocabulary knows is left out.
Status add_named_tokens(const Json& config, PipelineParts& parts) {
  for (const char* key : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}) {
    ATELIER_TRY(AddedToken token, parse_named_token(config, key));
    const std::optional<TokenId> id = token.content.empty() ? std::nullopt : find_token(parts, token.content);
    if (!id) continue;
    if (std::string_view(key) == "bos_token") parts.bos = id;
    if (std::string_view(key) == "eos_token") parts.eos = id;
    if (is_added(parts, token.content)) continue;
    token.id = *id;
    parts.added_tokens.push_back(std::move(token));
  }
  return {};
}

Status replace_post_processor(const Json& config, PipelineParts& parts) {
  const bool is_stated = config.contains("add_bos_token") || config.contains("add_eos_token");
  if (!is_stated && parts.post_processor) return {};
  ATELIER_TRY(const bool add_bos, config.get_bool("add_bos_token", false));
  ATELIER_TRY(const bool add_eos, config.get_bool("add_eos_token", false));
  std::vector<TokenId> before, after;
  if (add_bos && parts.bos) before.push_back(*parts.bos);
  if (add_eos && parts.eos) after.push_back(*parts.eos);
  parts.post_processor = surround_post_processor({std::move(before), {}, std::move(after)});
  return {};
}

}  // namespace

Status apply_tokenizer_config(std::string_view config_json, const std::string& name, PipelineParts& parts) {
  if (config_json.empty()) return {};
  const std::string config_name = name + ": tokenizer_config.json";
  ATELIER_TRY(const Json config, Json::parse(config_json, config_name));
  if (!config.is_object()) return Status::corrupt(config_name + " is no object");
  ATELIER_RETURN_IF_ERROR(add_decoder_entries(config, config_name, parts));
  ATELIER_RETURN_IF_ERROR(add_named_tokens(config, parts));
  return replace_post_processor(config, parts);
}

}  // namespace atelier::tokenize
