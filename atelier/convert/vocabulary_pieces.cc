#include "atelier/convert/vocabulary_pieces.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "atelier/base/strings.h"
#include "atelier/convert/pre_tokenizers.h"
#include "atelier/io/file.h"
#include "atelier/tokenize/sentencepiece_model.h"

namespace atelier::convert {
namespace {

enum TokenType : int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

using Pieces = VocabularyPieces;
using Merges = std::vector<std::pair<std::string, std::string>>;

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

Status read_pieces(const Json& tokenizer, const Json& model, Pieces& pieces) {
  const Json* vocab = model.find("vocab");
  if (vocab == nullptr || !vocab->is_object()) return bad("model.vocab is missing");
  for (const auto& [token, id] : vocab->as_object()) {
    ATELIER_RETURN_IF_ERROR(place(token, id, pieces.is_sentencepiece && is_byte_token(token) ? kByte : kNormal, pieces));
  }
  const Json* unknown = model.find("unk_token");
  const Json* added = tokenizer.find("added_tokens");
  if (added == nullptr || !added->is_array()) return Status::ok_status();
  for (const Json& entry : added->as_array()) {
    ATELIER_TRY(const std::string content, entry.get_string("content"));
    ATELIER_TRY(const bool is_special, entry.get_bool("special", false));
    const Json* id = entry.find("id");
    const bool is_unknown = pieces.is_sentencepiece && unknown != nullptr && *unknown == Json(content);
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

Result<Merges> read_merges(const Json& model) {
  Merges out;
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
void score_by_merges(const Merges& merges, Pieces& pieces) {
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

Status check_kind(const Json& model) {
  ATELIER_TRY(const std::string type, model.get_string("type", "BPE"));
  if (type == "BPE") return Status::ok_status();
  return Status::unsupported("tokenizer.json: a tokenizer of type " + quoted(type) +
                             " cannot be written into a GGUF file of this architecture; keep the Hugging Face folder");
}

Pieces unused_pieces(int64_t vocab_size) {
  Pieces pieces;
  for (int64_t id = 0; id < vocab_size; ++id) pieces.tokens.push_back("[PAD" + std::to_string(id) + "]");
  pieces.types.assign(pieces.tokens.size(), kUnused);
  return pieces;
}

Result<Pieces> from_tokenizer_json(const Json& tokenizer, int64_t vocab_size) {
  const Json* model = tokenizer.find("model");
  if (model == nullptr) return bad("\"model\" is missing");
  ATELIER_RETURN_IF_ERROR(check_kind(*model));
  Pieces pieces = unused_pieces(vocab_size);
  ATELIER_TRY(pieces.is_sentencepiece, model->get_bool("byte_fallback", false));
  ATELIER_RETURN_IF_ERROR(read_pieces(tokenizer, *model, pieces));
  ATELIER_TRY(const Merges merges, read_merges(*model));
  if (pieces.is_sentencepiece) {
    score_by_merges(merges, pieces);
    pieces.pre = "default";
    pieces.adds_space_prefix = adds_space_prefix(tokenizer.find("normalizer")) || adds_space_prefix(tokenizer.find("pre_tokenizer"));
    return pieces;
  }
  ATELIER_TRY(pieces.pre, gguf_pre_tokenizer_name(tokenizer));
  for (const auto& [left, right] : merges) pieces.merges.push_back(merge_text(left, right));
  return pieces;
}

// "added_tokens_decoder" of tokenizer_config.json: {"32000": {"content", "special"}}.
Status add_from_config(const Json& tokenizer_config, Pieces& pieces) {
  const Json* added = tokenizer_config.find("added_tokens_decoder");
  if (added == nullptr || !added->is_object()) return Status::ok_status();
  for (const auto& [key, entry] : added->as_object()) {
    ATELIER_TRY(const std::string content, entry.get_string("content"));
    ATELIER_TRY(const bool is_special, entry.get_bool("special", false));
    const std::optional<int64_t> id = parse_int(key);
    const bool is_known =
        id && *id >= 0 && *id < static_cast<int64_t>(pieces.tokens.size()) && pieces.tokens[static_cast<size_t>(*id)] == content;
    if (is_known && pieces.types[static_cast<size_t>(*id)] != kNormal) continue;  // unknown and control tokens of the model itself
    ATELIER_RETURN_IF_ERROR(place(content, id ? Json(*id) : Json(), is_special ? kControl : kUserDefined, pieces));
  }
  return Status::ok_status();
}

Result<Pieces> from_sentencepiece(const std::string& folder, int64_t vocab_size) {
  const std::string path = io::join_path(folder, "tokenizer.model");
  ATELIER_TRY(const std::string bytes, io::read_file(path));
  ATELIER_TRY(const tokenize::SentencePieceModel model, tokenize::parse_sentencepiece_model(bytes, path));
  if (model.kind != tokenize::SentencePieceKind::kBpe) {
    return Status::unsupported(path + ": only SentencePiece BPE models can be written into GGUF; keep the Hugging Face folder");
  }
  Pieces pieces = unused_pieces(vocab_size);
  pieces.is_sentencepiece = true;
  pieces.pre = "default";
  pieces.adds_space_prefix = model.add_dummy_prefix;
  pieces.scores.assign(pieces.tokens.size(), 0);
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const tokenize::SentencePiece& piece = model.pieces[id];
    ATELIER_RETURN_IF_ERROR(place(piece.piece, Json(static_cast<int64_t>(id)), static_cast<int32_t>(piece.type), pieces));
    pieces.scores[id] = piece.score;
  }
  ATELIER_TRY(const Json config, read_optional_json(folder, "tokenizer_config.json"));
  ATELIER_RETURN_IF_ERROR(add_from_config(config, pieces));
  return pieces;
}

Result<Pieces> from_vocab_and_merges(const std::string& folder, int64_t vocab_size) {
  ATELIER_TRY(const Json vocab, read_optional_json(folder, "vocab.json"));
  ATELIER_TRY(const std::string text, io::read_file(io::join_path(folder, "merges.txt")));
  Pieces pieces = unused_pieces(vocab_size);
  pieces.pre = "gpt-2";
  ATELIER_RETURN_IF_ERROR(read_pieces(Json(), Json::object().set("vocab", vocab), pieces));
  for (const std::string_view line : split(text, '\n')) {
    if (!line.empty() && !line.starts_with("#version")) pieces.merges.emplace_back(trim_ascii(line));
  }
  const auto end_of_text = std::ranges::find(pieces.tokens, "<|endoftext|>");
  if (end_of_text != pieces.tokens.end()) pieces.types[static_cast<size_t>(end_of_text - pieces.tokens.begin())] = kControl;
  ATELIER_TRY(const Json config, read_optional_json(folder, "tokenizer_config.json"));
  ATELIER_RETURN_IF_ERROR(add_from_config(config, pieces));
  return pieces;
}

}  // namespace

Result<Json> read_optional_json(const std::string& folder, const std::string& name) {
  const std::string path = io::join_path(folder, name);
  if (!io::is_file(path)) return Json();
  ATELIER_TRY(const std::string text, io::read_file(path));
  return Json::parse(text, path);
}

Result<std::optional<VocabularyPieces>> read_vocabulary_pieces(const std::string& folder, int64_t vocab_size) {
  const auto has = [&](const char* name) { return io::is_file(io::join_path(folder, name)); };
  std::optional<VocabularyPieces> pieces;
  if (has("tokenizer.json")) {
    ATELIER_TRY(const Json tokenizer, read_optional_json(folder, "tokenizer.json"));
    ATELIER_TRY(pieces, from_tokenizer_json(tokenizer, vocab_size));
  } else if (has("tokenizer.model")) {
    ATELIER_TRY(pieces, from_sentencepiece(folder, vocab_size));
  } else if (has("vocab.json") && has("merges.txt")) {
    ATELIER_TRY(pieces, from_vocab_and_merges(folder, vocab_size));
  }
  return pieces;
}

}  // namespace atelier::convert
