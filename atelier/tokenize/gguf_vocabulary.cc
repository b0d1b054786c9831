// The vocabulary inside a GGUF file to a pipeline: `tokenizer.ggml.model` names the kind of model.
#include <algorithm>
#include <cmath>

#include "atelier/base/strings.h"
#include "atelier/text/utf8.h"
#include "atelier/tokenize/bpe.h"
#include "atelier/tokenize/normalizers/characters.h"
#include "atelier/tokenize/normalizers/unicode.h"
#include "atelier/tokenize/pipeline.h"
#include "atelier/tokenize/pre_tokenizers/other.h"
#include "atelier/tokenize/pretokenizer_patterns.h"
#include "atelier/tokenize/sentencepiece.h"
#include "atelier/tokenize/word_piece.h"

namespace atelier::tokenize {

namespace {

enum class GgufTokenType { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

// Control and unknown tokens become special added tokens, user-defined ones plain added tokens.
void append_gguf_added_tokens(const GgufVocabulary& gguf, std::vector<AddedToken>& added) {
  for (size_t i = 0; i < gguf.types.size(); ++i) {
    const auto type = static_cast<GgufTokenType>(gguf.types[i]);
    const bool is_special = type == GgufTokenType::kControl || type == GgufTokenType::kUnknown;
    if (gguf.tokens[i].empty() || (!is_special && type != GgufTokenType::kUserDefined)) continue;
    added.push_back({.content = gguf.tokens[i], .id = static_cast<TokenId>(i), .normalized = false, .special = is_special});
  }
}

std::unique_ptr<PostProcessor> gguf_post_processor(const GgufVocabulary& gguf, bool add_bos_default, bool add_eos_default) {
  std::vector<TokenId> before, after;
  if (gguf.add_bos.value_or(add_bos_default) && gguf.bos) before.push_back(*gguf.bos);
  if (gguf.add_eos.value_or(add_eos_default) && gguf.eos) after.push_back(*gguf.eos);
  return surround_post_processor({std::move(before), {}, std::move(after)});
}

Vocabulary gguf_tokens(const GgufVocabulary& gguf) {
  Vocabulary vocabulary;
  for (size_t i = 0; i < gguf.tokens.size(); ++i) vocabulary.add(gguf.tokens[i], static_cast<TokenId>(i));
  return vocabulary;
}

Status check(const GgufVocabulary& gguf, const std::string& name) {
  const size_t count = gguf.tokens.size();
  const auto sizes = [&](const char* what, size_t size) {
    return Status::corrupt(name + ": tokenizer.ggml." + what + " has " + std::to_string(size) + " entries for " + std::to_string(count) +
                           " tokens");
  };
  constexpr size_t kMaxTokens = 16'000'000;
  if (count == 0 || count > kMaxTokens) {
    return Status::corrupt(name + ": tokenizer.ggml.tokens has " + std::to_string(count) + " entries, want 1 … " +
                           std::to_string(kMaxTokens));
  }
  if (!gguf.scores.empty() && gguf.scores.size() != count) return sizes("scores", gguf.scores.size());
  if (!gguf.types.empty() && gguf.types.size() != count) return sizes("token_type", gguf.types.size());
  const std::pair<const char*, std::optional<TokenId>> ids[] = {{"bos", gguf.bos},       {"eos", gguf.eos},     {"unknown", gguf.unk},
                                                                {"seperator", gguf.sep}, {"padding", gguf.pad}, {"cls", gguf.cls},
                                                                {"mask", gguf.mask}};
  for (const auto& [what, id] : ids) {
    if (id && (*id < 0 || static_cast<size_t>(*id) >= count)) {
      return Status::corrupt(name + ": tokenizer.ggml." + what + "_token_id is " + std::to_string(*id) + ", the vocabulary has " +
                             std::to_string(count) + " tokens");
    }
  }
  return {};
}

// "left right"; the separator is the first space after the first character, since a side may not be empty.
Result<std::vector<std::pair<std::string, std::string>>> parse_merges(const std::vector<std::string>& lines, const std::string& name) {
  std::vector<std::pair<std::string, std::string>> merges;
  merges.reserve(lines.size());
  for (const std::string& line : lines) {
    const size_t space = line.find(' ', 1);
    if (space == std::string::npos || space + 1 == line.size()) {
      return Status::corrupt(name + ": tokenizer.ggml.merges: " + quoted(line) + " is not a pair");
    }
    merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return merges;
}

Result<std::unique_ptr<Tokenizer>> from_byte_level_bpe(const GgufVocabulary& gguf, const std::string& name) {
  const std::string pre = gguf.pre.empty() || gguf.pre == "default" ? "gpt-2" : gguf.pre;
  const NamedPreTokenizer* named = find_pre_tokenizer(pre);
  if (named == nullptr) {
    const std::string nearest = nearest_name(pre, pre_tokenizer_names());
    return Status::unsupported(name + ": tokenizer.ggml.pre " + quoted(pre) + " is not known" +
                               (nearest.empty() ? "" : ", the nearest is " + quoted(nearest)) +
                               "; use the Hugging Face folder with its tokenizer.json");
  }
  ATELIER_TRY(auto merges, parse_merges(gguf.merges, name));
  PipelineParts parts;
  parts.kind = "byte-level BPE (" + pre + ")";
  append_gguf_added_tokens(gguf, parts.added_tokens);
  if (named->normalizes_nfc) parts.normalizer = unicode_normalizer(text::NormalForm::kNfc);
  ATELIER_TRY(parts.pre_tokenizer, create_pre_tokenizer(*named));
  BpeOptions options;
  options.ignore_merges = named->ignore_merges;
  ATELIER_TRY(parts.model, Bpe::create(gguf_tokens(gguf), merges, std::move(options), name));
  parts.post_processor = gguf_post_processor(gguf, named->add_bos, false);
  parts.decoders.push_back(byte_level_decoder());
  parts.bos = gguf.bos;
  parts.eos = gguf.eos;
  return PipelineTokenizer::create(std::move(parts));
}

// "llama" is SentencePiece's BPE with scores, "t5" its Unigram. User-defined tokens are spelled as in the user's text here.
Result<std::unique_ptr<Tokenizer>> from_sentencepiece_kind(GgufVocabulary& gguf, SentencePieceKind kind, const std::string& name) {
  if (gguf.scores.empty()) return Status::corrupt(name + ": tokenizer.ggml.scores is missing");
  SentencePieceModel model;
  model.kind = kind;
  const bool is_unigram = kind == SentencePieceKind::kUnigram;
  for (size_t i = 0; i < gguf.tokens.size(); ++i) {
    if (!std::isfinite(gguf.scores[i]))
      return Status::corrupt(name + ": tokenizer.ggml.scores is not a number for token " + std::to_string(i));
    const int32_t type = gguf.types.empty() ? 1 : gguf.types[i];
    const bool is_known = type >= 1 && type <= 6;
    model.pieces.push_back({gguf.tokens[i], gguf.scores[i], is_known ? static_cast<PieceType>(type) : PieceType::kNormal});
    // Only SentencePiece itself takes unused pieces apart; llama.cpp reads them as any other.
    if (!is_unigram && type == static_cast<int32_t>(PieceType::kUnused)) model.pieces.back().type = PieceType::kNormal;
  }
  model.byte_fallback = true;
  model.add_dummy_prefix = gguf.add_space_prefix.value_or(true);
  model.remove_extra_whitespaces = gguf.remove_extra_whitespaces.value_or(false);
  model.precompiled_charsmap = std::move(gguf.precompiled_charsmap);
  ATELIER_TRY(PipelineParts parts, sentencepiece_parts(std::move(model), name));
  append_gguf_added_tokens(gguf, parts.added_tokens);
  parts.post_processor = gguf_post_processor(gguf, /*add_bos_default=*/!is_unigram, /*add_eos_default=*/is_unigram);
  parts.bos = gguf.bos;
  parts.eos = gguf.eos;
  return PipelineTokenizer::create(std::move(parts));
}

// llama.cpp stores WordPiece vocabularies with a phantom space: "▁word" begins a word and "ing" goes on; Hugging Face has "word"
// and "##ing". Files that carry "##" are in the second form already.
Vocabulary word_pieces(const GgufVocabulary& gguf) {
  const bool has_prefix =
      std::any_of(gguf.tokens.begin(), gguf.tokens.end(), [](const std::string& token) { return token.starts_with("##"); });
  constexpr std::string_view kPhantomSpace = "▁";
  Vocabulary vocabulary;
  for (size_t i = 0; i < gguf.tokens.size(); ++i) {
    const std::string& token = gguf.tokens[i];
    const bool is_normal = gguf.types.empty() || gguf.types[i] == static_cast<int32_t>(GgufTokenType::kNormal);
    std::string spelled = token;
    if (!has_prefix && is_normal) spelled = token.starts_with(kPhantomSpace) ? token.substr(kPhantomSpace.size()) : "##" + token;
    vocabulary.add(std::move(spelled), static_cast<TokenId>(i));
  }
  return vocabulary;
}

Result<std::unique_ptr<Tokenizer>> from_word_piece(const GgufVocabulary& gguf, const std::string& name) {
  PipelineParts parts;
  parts.kind = "WordPiece";
  append_gguf_added_tokens(gguf, parts.added_tokens);
  parts.normalizer = bert_normalizer({});
  parts.pre_tokenizer = bert_pre_tokenizer();
  Vocabulary vocabulary = word_pieces(gguf);
  WordPieceOptions options;
  options.unk_token = gguf.unk ? gguf.tokens[static_cast<size_t>(*gguf.unk)] : "[UNK]";
  const std::optional<TokenId> cls = gguf.cls ? gguf.cls : gguf.bos ? gguf.bos : vocabulary.find("[CLS]");
  const std::optional<TokenId> sep = gguf.sep ? gguf.sep : gguf.eos ? gguf.eos : vocabulary.find("[SEP]");
  if (!cls || !sep) return Status::corrupt(name + ": the vocabulary has no [CLS] or no [SEP] token");
  parts.model = std::make_unique<WordPiece>(std::move(vocabulary), std::move(options));
  parts.post_processor = bert_post_processor(*cls, *sep);
  parts.decoders.push_back(word_piece_decoder("##", /*cleanup=*/true));
  parts.bos = gguf.bos;
  parts.eos = gguf.eos;
  return PipelineTokenizer::create(std::move(parts));
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> Tokenizer::from_gguf(GgufVocabulary vocabulary, const std::string& name) {
  ATELIER_RETURN_IF_ERROR(check(vocabulary, name));
  for (std::string& token : vocabulary.tokens) {
    if (!text::is_valid_utf8(token)) token = text::repair_utf8(token);
  }
  if (vocabulary.model == "gpt2") return from_byte_level_bpe(vocabulary, name);
  if (vocabulary.model == "llama") return from_sentencepiece_kind(vocabulary, SentencePieceKind::kBpe, name);
  if (vocabulary.model == "t5") return from_sentencepiece_kind(vocabulary, SentencePieceKind::kUnigram, name);
  if (vocabulary.model == "bert") return from_word_piece(vocabulary, name);
  return Status::unsupported(name + ": tokenizer.ggml.model " + quoted(vocabulary.model) + " is none of gpt2, llama, bert, t5");
}

}  // namespace atelier::tokenize
