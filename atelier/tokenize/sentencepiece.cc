#include "atelier/tokenize/sentencepiece.h"

#include "atelier/base/strings.h"
#include "atelier/tokenize/concat_bpe.h"
#include "atelier/tokenize/normalizers/strings.h"
#include "atelier/tokenize/tokenizer_config.h"
#include "atelier/tokenize/unigram.h"

namespace atelier::tokenize {
namespace {

Result<std::unique_ptr<Normalizer>> create_normalizer(const SentencePieceModel& model, const std::string& name) {
  std::vector<std::unique_ptr<Normalizer>> steps;
  if (!model.precompiled_charsmap.empty()) {
    ATELIER_TRY(CharsMap map, CharsMap::parse(model.precompiled_charsmap, name));
    std::vector<std::string> kept;
    for (const SentencePiece& piece : model.pieces) {
      if (piece.type == PieceType::kUserDefined) kept.push_back(piece.piece);
    }
    steps.push_back(precompiled_normalizer(std::move(map), CharsMapReading::kSentencePiece, kept));
  }
  if (model.remove_extra_whitespaces) steps.push_back(collapse_spaces_normalizer());
  if (model.add_dummy_prefix) steps.push_back(prepend_normalizer(" "));
  if (model.escape_whitespaces) steps.push_back(replace_normalizer(" ", kMetaSpace));
  // A "▁" that the user wrote counts as a space at the end of the text, though nowhere else.
  if (model.remove_extra_whitespaces) steps.push_back(strip_suffix_normalizer(model.escape_whitespaces ? kMetaSpace : " "));
  return std::unique_ptr<Normalizer>(std::make_unique<NormalizerSequence>(std::move(steps)));
}

Vocabulary create_vocabulary(const SentencePieceModel& model) {
  Vocabulary vocabulary;
  for (size_t i = 0; i < model.pieces.size(); ++i) vocabulary.add(model.pieces[i].piece, static_cast<TokenId>(i));
  return vocabulary;
}

std::vector<bool> pieces_of(const SentencePieceModel& model, std::initializer_list<PieceType> types) {
  std::vector<bool> out(model.pieces.size());
  for (size_t i = 0; i < out.size(); ++i) {
    for (const PieceType type : types) out[i] = out[i] || model.pieces[i].type == type;
  }
  return out;
}

std::optional<TokenId> find_unknown(const SentencePieceModel& model) {
  for (size_t i = 0; i < model.pieces.size(); ++i) {
    if (model.pieces[i].type == PieceType::kUnknown) return static_cast<TokenId>(i);
  }
  return std::nullopt;
}

std::unique_ptr<Model> create_bpe(const SentencePieceModel& model) {
  std::vector<float> scores;
  for (const SentencePiece& piece : model.pieces) scores.push_back(piece.score);
  ConcatBpeOptions options;
  options.unk_id = find_unknown(model);
  options.byte_fallback = model.byte_fallback;
  options.is_unmatchable = pieces_of(model, {PieceType::kControl, PieceType::kUnknown, PieceType::kByte});
  options.is_unused = pieces_of(model, {PieceType::kUnused});
  return std::make_unique<ConcatBpe>(create_vocabulary(model), ConcatBpe::ranks_of_scores(scores), std::move(options));
}

Result<std::unique_ptr<Model>> create_unigram(const SentencePieceModel& model, const std::string& name) {
  std::vector<double> scores;
  for (const SentencePiece& piece : model.pieces) scores.push_back(static_cast<double>(piece.score));
  UnigramOptions options;
  options.unk_id = find_unknown(model);
  options.byte_fallback = model.byte_fallback;
  options.single_precision = true;
  options.is_unmatchable = pieces_of(model, {PieceType::kControl, PieceType::kUnknown, PieceType::kByte, PieceType::kUnused});
  options.is_user_defined = pieces_of(model, {PieceType::kUserDefined});
  ATELIER_TRY(auto unigram, Unigram::create(create_vocabulary(model), std::move(scores), std::move(options), name));
  return std::unique_ptr<Model>(std::move(unigram));
}

// Control pieces are special; user-defined ones are cut out of the normalized text, in which they are spelled.
void append_added_tokens(const SentencePieceModel& model, std::vector<AddedToken>& added) {
  for (size_t i = 0; i < model.pieces.size(); ++i) {
    const SentencePiece& piece = model.pieces[i];
    const bool is_special = piece.type == PieceType::kControl || piece.type == PieceType::kUnknown;
    if (piece.piece.empty() || (!is_special && piece.type != PieceType::kUserDefined)) continue;
    AddedToken token{.content = piece.piece, .id = static_cast<TokenId>(i), .normalized = !is_special, .special = is_special};
    token.is_spelled_normalized = true;
    added.push_back(std::move(token));
  }
}

// What the model's class in transformers adds where the configuration does not say: Llama and Gemma BOS, T5 EOS.
Status add_class_defaults(const std::string& config_json, const std::string& name, PipelineParts& parts) {
  if (config_json.empty()) return {};
  ATELIER_TRY(const Json config, Json::parse(config_json, name + ": tokenizer_config.json"));
  ATELIER_TRY(const std::string tokenizer_class, config.get_string("tokenizer_class", ""));
  std::vector<TokenId> before, after;
  const bool adds_bos = tokenizer_class.find("Llama") != std::string::npos || tokenizer_class.find("Gemma") != std::string::npos;
  if (adds_bos && parts.bos) before.push_back(*parts.bos);
  if (tokenizer_class.find("T5") != std::string::npos && parts.eos) after.push_back(*parts.eos);
  parts.post_processor = surround_post_processor({std::move(before), {}, std::move(after)});
  return {};
}

}  // namespace

Result<PipelineParts> sentencepiece_parts(SentencePieceModel model, const std::string& name) {
  PipelineParts parts;
  ATELIER_TRY(parts.normalizer, create_normalizer(model, name));
  switch (model.kind) {
    case SentencePieceKind::kUnigram: {
      ATELIER_TRY(parts.model, create_unigram(model, name));
      parts.kind = "SentencePiece Unigram";
      break;
    }
    case SentencePieceKind::kBpe:
      parts.model = create_bpe(model);
      parts.kind = "SentencePiece BPE";
      break;
    default:
      return Status::unsupported(name + ": SentencePiece word and character models are not supported; train a BPE or Unigram model");
  }
  if (model.escape_whitespaces) parts.decoders.push_back(replace_decoder(kMetaSpace, " "));
  parts.decoders.push_back(byte_fallback_decoder(InvalidRun::kReplaceInvalidPart));
  parts.decoders.push_back(fuse_decoder());
  if (model.add_dummy_prefix) parts.decoders.push_back(strip_decoder(U' ', 1, 0));
  return parts;
}

Result<std::unique_ptr<Tokenizer>> Tokenizer::from_sentencepiece(std::string_view model_bytes, const std::string& name,
                                                                 std::string_view config_json) {
  ATELIER_TRY(SentencePieceModel model, parse_sentencepiece_model(model_bytes, name));
  if (model.treat_whitespace_as_suffix) return Status::unsupported(name + ": treat_whitespace_as_suffix is not supported");
  const auto count = static_cast<int64_t>(model.pieces.size());
  ATELIER_TRY(PipelineParts parts, sentencepiece_parts(model, name));
  append_added_tokens(model, parts.added_tokens);
  if (model.bos_id >= 0 && model.bos_id < count) parts.bos = static_cast<TokenId>(model.bos_id);
  if (model.eos_id >= 0 && model.eos_id < count) parts.eos = static_cast<TokenId>(model.eos_id);
  ATELIER_RETURN_IF_ERROR(add_class_defaults(std::string(config_json), name, parts));
  ATELIER_RETURN_IF_ERROR(apply_tokenizer_config(config_json, name, parts));
  return PipelineTokenizer::create(std::move(parts));
}

}  // namespace atelier::tokenize
