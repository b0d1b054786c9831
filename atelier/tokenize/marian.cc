#include "atelier/tokenize/marian.h"

#include <unordered_map>

#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/tokenize/sentencepiece.h"
#include "atelier/tokenize/tokenizer_config.h"

namespace atelier::tokenize {
namespace {

bool is_language(const std::string& piece) { return piece.starts_with(">>") && piece.ends_with("<<"); }

PieceType type_of(const std::string& piece) {
  if (piece == "<unk>") return PieceType::kUnknown;
  return piece == "</s>" || piece == "<pad>" || is_language(piece) ? PieceType::kControl : PieceType::kUnused;
}

// The pieces in the order of vocab.json, with the scores and kinds of those that source.spm has.
Result<std::vector<SentencePiece>> numbered_pieces(const std::vector<SentencePiece>& source, const Json& vocab, const std::string& name) {
  std::unordered_map<std::string_view, const SentencePiece*> known;
  for (const SentencePiece& piece : source) known.emplace(piece.piece, &piece);
  if (!vocab.is_object()) return Status::corrupt(name + ": is no object of pieces and ids");
  std::vector<SentencePiece> pieces(vocab.as_object().size());
  std::vector<bool> is_taken(pieces.size());
  for (const auto& [text, id] : vocab.as_object()) {
    const bool is_place = id.is_int() && id.as_int() >= 0 && id.as_int() < std::ssize(pieces);
    if (!is_place || is_taken[static_cast<size_t>(id.as_int())]) {
      return Status::corrupt(name + ": piece " + quoted(text) + " has id " + id.dump() + ", must be one of its own below " +
                             std::to_string(pieces.size()));
    }
    const auto place = static_cast<size_t>(id.as_int());
    is_taken[place] = true;
    pieces[place] = {.piece = text, .score = 0, .type = type_of(text)};
    const auto found = known.find(text);
    if (found == known.end() || pieces[place].type != PieceType::kUnused) continue;
    pieces[place] = *found->second;
  }
  return pieces;
}

std::optional<TokenId> id_of(const std::vector<SentencePiece>& pieces, std::string_view text) {
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].piece == text) return static_cast<TokenId>(i);
  }
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> marian_tokenizer(std::string_view model_bytes, std::string_view vocab_json, const std::string& name,
                                                    std::string_view config_json) {
  ATELIER_TRY(SentencePieceModel model, parse_sentencepiece_model(model_bytes, name));
  if (model.kind != SentencePieceKind::kUnigram || model.treat_whitespace_as_suffix) {
    return Status::unsupported(name + ": is no Unigram model that marks the beginnings of words, which Marian's are");
  }
  ATELIER_TRY(const Json vocab, Json::parse(vocab_json, name + ": vocab.json"));
  ATELIER_TRY(model.pieces, numbered_pieces(model.pieces, vocab, name + ": vocab.json"));
  const std::optional<TokenId> eos = id_of(model.pieces, "</s>");
  if (!eos || !id_of(model.pieces, "<unk>")) return Status::corrupt(name + ": vocab.json has no </s> or no <unk>");
  std::vector<AddedToken> added;
  for (size_t i = 0; i < model.pieces.size(); ++i) {
    const SentencePiece& piece = model.pieces[i];
    if (piece.type != PieceType::kControl && piece.type != PieceType::kUnknown) continue;
    AddedToken token{.content = piece.piece, .id = static_cast<TokenId>(i), .normalized = false, .special = true};
    token.is_spelled_normalized = true;
    added.push_back(std::move(token));
  }
  ATELIER_TRY(PipelineParts parts, sentencepiece_parts(std::move(model), name));
  parts.kind = "Marian's SentencePiece Unigram";
  parts.added_tokens = std::move(added);
  parts.eos = eos;
  parts.post_processor = surround_post_processor({{}, {}, {*eos}});
  ATELIER_RETURN_IF_ERROR(apply_tokenizer_config(config_json, name, parts));
  return PipelineTokenizer::create(std::move(parts));
}

}  // namespace atelier::tokenize
