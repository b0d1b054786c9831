#include "atelier/convert/gguf_tokenizer.h"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>

#include "atelier/base/strings.h"
#include "atelier/convert/pre_tokenizers.h"
#include "atelier/io/file.h"

namespace atelier::convert {
namespace {

enum TokenType : int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

struct Pieces {
  std::vector<std::string> tokens;  // by id
  std::vector<int32_t> types;
  std::vector<float> scores;  // SentencePiece only
  std::vector<std::string> merges;
};

Result<Json> read_json(const std::string& folder, const std::string& name) {
  const std::string path = io::join_path(folder, name);
  if (!io::is_file(path)) return Json();
  ATELIER_TRY(const std::string text, io::read_file(path));
  return Json::parse(text, path);
}

Status bad(const std::string& what) { return Status::corrupt("tokenizer.json: " + what); }

// Puts `token` at `id`, which must lie in the model's vocabulary.
Status place(const std::string& token, const Json& id, int32_t type, Pieces& pieces) {
  const auto size = static_cast<int64_t>(pieces.tokens.size());
  if (!id.is_int() || id.as_int() < 0 || id.as_int() >= size) {
    return bad("token " + quoted(token) + " has id " + id.dump() + ", the model's vocabulary has " + std::to_string(size));
  }
  const auto at = static_cast<size_t>(id.as_int());
  pieces.tokens[at] = token;
  pieces.types[at] = type;
  return Status::ok_status();
}

// "<0x0A>"
bool is_byte_token(const std::string& token) { return token.size() == 6 && token.starts_with("<0x") && token.ends_with(">"); }

Status read_pieces(const Json& tokenizer, const Json& model, bool is_sentencepiece, Pieces& pieces) {
  const Json* vocab = model.find("vocab");
  if (vocab == nullptr || !vocab->is_object()) return bad("model.vocab is missing");
  for (const auto& [token, id] : vocab->as_object()) {
    ATELIER_RETURN_IF_ERROR(place(token, id, is_sentencepiece && is_byte_token(token) ? kByte : kNormal, pieces));
  }
  const Json* unknown = model.find("unk_token");
  const Json* added = tokenizer.find("added_tokens");
  if (added == nullptr || !added->is_array()) return Status::ok_status();
  for (const Json& entry : added->as_array()) {
    ATELIER_TRY(const std::string content, entry.get_string("content"));
    ATELIER_TRY(const bool is_special, entry.get_bool("special", false));
    const Json* id = entry.find("id");
    const bool is_unknown = is_sentencepiece && unknown != nullptr && *unknown == Json(content);
    const int32_t type = is_unknown ? kUnknown : is_special ? kControl : kUserDefined;
    ATELIER_RETURN_IF_ERROR(place(content, id != nullptr ? *id : Json(), type, pieces));
  }
  return Status::ok_status();
}

// Left and right of a merge: "a b" in older files, ["a", "b"] in newer ones.
Result<std::pair<std::string, std::string>> parts_of(const Json& merge) {
  if (merge.is_array() && merge.as_array().size() == 2 && merge.as_array()[0].is_string() && merge.as_array()[1].is_string()) {
    return std::pair(merge.as_array()[0].as_string(), merge.as_array()[1].as_string());
  }
  const size_t space = merge.is_string() ? merge.as_string().find(' ') : std::string::npos;
  if (space == std::string::npos) return bad("model.merges holds " + quoted(merge.dump()) + ", want two pieces");
  return std::pair(merge.as_string().substr(0, space), merge.as_string().substr(space + 1));
}

Result<std::vector<std::pair<std::string, std::string>>> read_merges(const Json& model) {
  std::vector<std::pair<std::string, std::string>> out;
  const Json* merges = model.find("merges");
  if (merges == nullptr || !merges->is_array()) return bad("model.merges is missing");
  for (const Json& merge : merges->as_array()) {
    ATELIER_TRY(auto parts, parts_of(merge));
    out.push_back(std::move(parts));
  }
  return out;
}

// GGUF separates the two sides by a space; one inside a piece is written as the letter that byte-level BPE has for it.
std::string merge_text(std::string left, std::string right) {
  replace_all(left, " ", "Ġ");
  replace_all(right, " ", "Ġ");
  return left + " " + right;
}

// SentencePiece joins the pair whose result scores highest: earlier merges score higher. Pieces that no merge makes stay below.
void score_by_merges(const std::vector<std::pair<std::string, std::string>>& merges, Pieces& pieces) {
  std::unordered_map<std::string, float> rank;
  for (size_t i = 0; i < merges.size(); ++i) rank.emplace(merges[i].first + merges[i].second, -static_cast<float>(i));
  const auto last = -static_cast<float>(merges.size());
  for (size_t id = 0; id < pieces.tokens.size(); ++id) {
    const auto found = rank.find(pieces.tokens[id]);
    const float score = found != rank.end() ? found->second : last;
    pieces.scores.push_back(pieces.types[id] == kNormal ? score : 0);
  }
}

// True when text gets a space in front: a normalizer that prepends one or a Metaspace that does.
bool adds_space_prefix(const Json* node, int depth = 0) {
  constexpr int kMaxDepth = 8;
  if (node == nullptr || !node->is_object() || depth > kMaxDepth) return false;
  for (const char* key : {"normalizers", "pretokenizers"}) {
    const Json* inner = node->find(key);
    if (inner == nullptr || !inner->is_array()) continue;
    if (std::ranges::any_of(inner->as_array(), [&](const Json& step) { return adds_space_prefix(&step, depth + 1); })) return true;
  }
  const Json* type = node->find("type");
  if (type == nullptr) return false;
  if (*type == Json("Prepend")) return true;
  const Json* scheme = node->find("prepend_scheme");
  return *type == Json("Metaspace") && (scheme == nullptr || *scheme != Json("never"));
}

// A special token of tokenizer_config.json: a string, or an object with its content.
std::optional<std::string> special_token(const Json& config, const char* key) {
  const Json* found = config.find(key);
  if (found != nullptr && found->is_object()) found = found->find("content");
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return found->as_string();
}

void set_special_ids(const Json& tokenizer_config, const Json& config, const Pieces& pieces, format::GgufMetadata& metadata) {
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

Status check_kind(const Json& model) {
  ATELIER_TRY(const std::string type, model.get_string("type", "BPE"));
  if (type == "BPE") return Status::ok_status();
  return Status::unsupported("tokenizer.json: a tokenizer of type " + quoted(type) +
                             " cannot be written into a GGUF file of this architecture; keep the Hugging Face folder");
}

}  // namespace

Status add_tokenizer(const std::string& folder, const models::Model& model, format::GgufMetadata& metadata) {
  ATELIER_TRY(const Json tokenizer, read_json(folder, "tokenizer.json"));
  if (tokenizer.is_null()) {
    if (model.tokenizer().ok()) {
      return Status::unsupported(folder + " has no tokenizer.json; write one with transformers' save_pretrained first");
    }
    metadata.set_string("tokenizer.ggml.model", "none");
    return Status::ok_status();
  }
  const Json* bpe = tokenizer.find("model");
  if (bpe == nullptr) return bad("\"model\" is missing");
  ATELIER_RETURN_IF_ERROR(check_kind(*bpe));
  ATELIER_TRY(const bool is_sentencepiece, bpe->get_bool("byte_fallback", false));
  const auto vocab_size = static_cast<size_t>(model.spec().vocab_size);
  Pieces pieces{std::vector<std::string>(vocab_size), std::vector<int32_t>(vocab_size, kUnused), {}, {}};
  for (size_t id = 0; id < vocab_size; ++id) pieces.tokens[id] = "[PAD" + std::to_string(id) + "]";
  ATELIER_RETURN_IF_ERROR(read_pieces(tokenizer, *bpe, is_sentencepiece, pieces));
  ATELIER_TRY(const auto merges, read_merges(*bpe));

  metadata.set_string("tokenizer.ggml.model", is_sentencepiece ? "llama" : "gpt2");
  if (is_sentencepiece) {
    score_by_merges(merges, pieces);
    metadata.set_string("tokenizer.ggml.pre", "default");
    metadata.set_float32s("tokenizer.ggml.scores", pieces.scores);
    const bool has_prefix = adds_space_prefix(tokenizer.find("normalizer")) || adds_space_prefix(tokenizer.find("pre_tokenizer"));
    metadata.set_bool("tokenizer.ggml.add_space_prefix", has_prefix);
  } else {
    ATELIER_TRY(const std::string pre, gguf_pre_tokenizer_name(tokenizer));
    for (const auto& [left, right] : merges) pieces.merges.push_back(merge_text(left, right));
    metadata.set_string("tokenizer.ggml.pre", pre);
    metadata.set_strings("tokenizer.ggml.merges", pieces.merges);
  }
  metadata.set_strings("tokenizer.ggml.tokens", pieces.tokens);
  metadata.set_int32s("tokenizer.ggml.token_type", pieces.types);
  ATELIER_TRY(const Json tokenizer_config, read_json(folder, "tokenizer_config.json"));
  ATELIER_TRY(const Json config, read_json(folder, "config.json"));
  set_special_ids(tokenizer_config, config, pieces, metadata);
  metadata.set_bool("tokenizer.ggml.add_bos_token", model.adds_bos());
  if (!model.chat_template().empty()) metadata.set_string("tokenizer.chat_template", model.chat_template());
  return Status::ok_status();
}

}  // namespace atelier::convert
