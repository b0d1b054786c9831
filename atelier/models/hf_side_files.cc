#include <algorithm>

#include "atelier/base/strings.h"
#include "atelier/io/file.h"
#include "atelier/models/side_files.h"
#include "atelier/tokenize/marian.h"

namespace atelier::models {
namespace {

// The text of folder/name, or empty when there is no such file.
Result<std::string> read_optional(const std::string& folder, const std::string& name) {
  const std::string path = io::join_path(folder, name);
  if (!io::is_file(path)) return std::string();
  return io::read_file(path);
}

Result<Json> parse_optional(const std::string& text, const std::string& name) {
  if (text.empty()) return Json();
  return Json::parse(text, name);
}

// "eos_token_id": one id or several.
Status read_stop_ids(const Json& config, std::vector<int32_t>& ids) {
  const Json* found = config.find("eos_token_id");
  if (found == nullptr || found->is_null()) return Status::ok_status();
  const Json::Array list = found->is_array() ? found->as_array() : Json::Array{*found};
  for (const Json& id : list) {
    if (!id.is_int() || id.as_int() < 0 || id.as_int() > INT32_MAX)
      return Status::corrupt("eos_token_id must be a token id or a list of them");
    ids.push_back(static_cast<int32_t>(id.as_int()));
  }
  return Status::ok_status();
}

Status read_double(const Json& config, const char* key, std::optional<double>& value) {
  if (!config.contains(key) || config.find(key)->is_null()) return Status::ok_status();
  ATELIER_TRY(value, config.get_double(key));
  return Status::ok_status();
}

Status read_int(const Json& config, const char* key, std::optional<int64_t>& value) {
  if (!config.contains(key) || config.find(key)->is_null()) return Status::ok_status();
  ATELIER_TRY(value, config.get_int(key));
  return Status::ok_status();
}

Status read_id(const Json& config, const char* key, std::optional<int32_t>& value) {
  std::optional<int64_t> id;
  ATELIER_RETURN_IF_ERROR(read_int(config, key, id));
  if (!id) return Status::ok_status();
  if (*id < 0 || *id > INT32_MAX) return Status::corrupt(std::string(key) + " is " + std::to_string(*id) + ", must be a token id");
  value = static_cast<int32_t>(*id);
  return Status::ok_status();
}

// "bad_words_ids": those that are single tokens; others would need the tokens before them.
Status read_banned(const Json& config, std::vector<int32_t>& ids) {
  const Json* words = config.find("bad_words_ids");
  if (words == nullptr || words->is_null()) return Status::ok_status();
  if (!words->is_array()) return Status::corrupt("bad_words_ids must be a list of lists of token ids");
  for (const Json& word : words->as_array()) {
    if (!word.is_array() || word.as_array().size() != 1 || !word.as_array()[0].is_int()) {
      return Status::unsupported("bad_words_ids: " + word.dump() + ", only single tokens can be banned; take it out");
    }
    ids.push_back(static_cast<int32_t>(std::clamp<int64_t>(word.as_array()[0].as_int(), -1, INT32_MAX)));
  }
  return Status::ok_status();
}

// What transformers takes from generation_config.json, or from config.json where there is none. "early_stopping" may be "never".
Status read_seq2seq_defaults(const Json& config, GenerationDefaults& out) {
  ATELIER_RETURN_IF_ERROR(read_id(config, "decoder_start_token_id", out.decoder_start));
  if (!out.decoder_start) ATELIER_RETURN_IF_ERROR(read_id(config, "bos_token_id", out.decoder_start));
  ATELIER_RETURN_IF_ERROR(read_id(config, "forced_bos_token_id", out.forced_first));
  ATELIER_RETURN_IF_ERROR(read_id(config, "forced_eos_token_id", out.forced_last));
  ATELIER_RETURN_IF_ERROR(read_int(config, "num_beams", out.num_beams));
  ATELIER_RETURN_IF_ERROR(read_int(config, "no_repeat_ngram_size", out.no_repeat_ngram));
  ATELIER_RETURN_IF_ERROR(read_int(config, "min_length", out.min_length));
  ATELIER_RETURN_IF_ERROR(read_int(config, "max_length", out.max_length));
  ATELIER_RETURN_IF_ERROR(read_double(config, "length_penalty", out.length_penalty));
  if (const Json* early = config.find("early_stopping"); early != nullptr && early->is_bool()) out.early_stopping = early->as_bool();
  return read_banned(config, out.banned_ids);
}

Result<GenerationDefaults> read_defaults(const Json& generation, const Json& config) {
  GenerationDefaults out;
  ATELIER_RETURN_IF_ERROR(read_stop_ids(generation, out.stop_ids));
  if (out.stop_ids.empty()) ATELIER_RETURN_IF_ERROR(read_stop_ids(config, out.stop_ids));
  ATELIER_RETURN_IF_ERROR(read_double(generation, "temperature", out.temperature));
  ATELIER_RETURN_IF_ERROR(read_double(generation, "top_p", out.top_p));
  ATELIER_RETURN_IF_ERROR(read_double(generation, "min_p", out.min_p));
  ATELIER_RETURN_IF_ERROR(read_double(generation, "repetition_penalty", out.repetition_penalty));
  if (generation.contains("top_k") && !generation.find("top_k")->is_null()) {
    ATELIER_TRY(out.top_k, generation.get_int("top_k"));
  }
  if (generation.contains("do_sample") && !generation.find("do_sample")->is_null()) {
    ATELIER_TRY(out.do_sample, generation.get_bool("do_sample"));
  }
  ATELIER_TRY(const bool has_encoder, config.get_bool("is_encoder_decoder", false));
  if (has_encoder) ATELIER_RETURN_IF_ERROR(read_seq2seq_defaults(generation.is_object() ? generation : config, out));
  return out;
}

// tokenizer_config.json's "chat_template": a string, or a list of {"name", "template"} whose "default" counts.
std::string template_of(const Json& tokenizer_config) {
  const Json* found = tokenizer_config.find("chat_template");
  if (found == nullptr) return {};
  if (found->is_string()) return found->as_string();
  if (!found->is_array()) return {};
  for (const Json& entry : found->as_array()) {
    const Json* name = entry.find("name");
    const Json* source = entry.find("template");
    if (name != nullptr && name->is_string() && name->as_string() == "default" && source != nullptr && source->is_string())
      return source->as_string();
  }
  return {};
}

Result<std::unique_ptr<tokenize::Tokenizer>> read_tokenizer(const std::string& folder, const std::string& config_text) {
  ATELIER_TRY(const std::string json, read_optional(folder, "tokenizer.json"));
  if (!json.empty()) return tokenize::Tokenizer::from_tokenizer_json(json, io::join_path(folder, "tokenizer.json"), config_text);
  for (const char* file : {"tokenizer.model", "spiece.model", "sentencepiece.bpe.model"}) {
    ATELIER_TRY(const std::string model, read_optional(folder, file));
    if (!model.empty()) return tokenize::Tokenizer::from_sentencepiece(model, io::join_path(folder, file), config_text);
  }
  ATELIER_TRY(const std::string vocab, read_optional(folder, "vocab.json"));
  ATELIER_TRY(const std::string source, read_optional(folder, "source.spm"));
  if (!vocab.empty() && !source.empty()) {
    if (io::is_file(io::join_path(folder, "target_vocab.json"))) {
      return Status::unsupported(folder + ": a vocabulary for each language, only one for both is read; give ids");
    }
    return tokenize::marian_tokenizer(source, vocab, io::join_path(folder, "source.spm"), config_text);
  }
  ATELIER_TRY(const std::string merges, read_optional(folder, "merges.txt"));
  if (!vocab.empty() && !merges.empty()) {
    return tokenize::Tokenizer::from_bpe_files(vocab, merges, io::join_path(folder, "vocab.json"), config_text);
  }
  ATELIER_TRY(const std::string words, read_optional(folder, "vocab.txt"));
  if (!words.empty()) return tokenize::Tokenizer::from_wordpiece_vocab(words, io::join_path(folder, "vocab.txt"), config_text);
  return Status::not_found(folder +
                           " has no tokenizer.json, tokenizer.model, spiece.model, source.spm with vocab.json, vocab.json with merges.txt, "
                           "or vocab.txt");
}

}  // namespace

Result<SideFiles> hf_side_files(const std::string& folder, const Json& config) {
  SideFiles out;
  ATELIER_TRY(const std::string tokenizer_config_text, read_optional(folder, "tokenizer_config.json"));
  ATELIER_TRY(const Json tokenizer_config, parse_optional(tokenizer_config_text, io::join_path(folder, "tokenizer_config.json")));
  ATELIER_TRY(const std::string generation_text, read_optional(folder, "generation_config.json"));
  ATELIER_TRY(const Json generation, parse_optional(generation_text, io::join_path(folder, "generation_config.json")));
  ATELIER_TRY(out.defaults, read_defaults(generation, config));
  ATELIER_TRY(out.chat_template, read_optional(folder, "chat_template.jinja"));
  if (out.chat_template.empty()) out.chat_template = template_of(tokenizer_config);
  out.tokenizer = read_tokenizer(folder, tokenizer_config_text);
  if (out.tokenizer.ok() && out.defaults.stop_ids.empty() && out.tokenizer.value()->eos()) {
    out.defaults.stop_ids.push_back(*out.tokenizer.value()->eos());
  }
  return out;
}

}  // namespace atelier::models
