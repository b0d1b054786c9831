// The vocabulary files of before tokenizer.json: vocab.json + merges.txt, vocab.txt, tiktoken ranks.
#include <algorithm>

#include "atelier/base/strings.h"
#include "atelier/text/utf8.h"
#include "atelier/tokenize/base64.h"
#include "atelier/tokenize/bpe.h"
#include "atelier/tokenize/byte_level.h"
#include "atelier/tokenize/concat_bpe.h"
#include "atelier/tokenize/json_models.h"
#include "atelier/tokenize/normalizers/characters.h"
#include "atelier/tokenize/pipeline.h"
#include "atelier/tokenize/pre_tokenizers/byte_level.h"
#include "atelier/tokenize/pre_tokenizers/other.h"
#include "atelier/tokenize/pretokenizer_patterns.h"
#include "atelier/tokenize/tokenizer_config.h"
#include "atelier/tokenize/word_piece.h"

namespace atelier::tokenize {
namespace {

constexpr const char* kEndOfWord = "</w>";

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines = split(text, '\n');
  for (std::string_view& line : lines) {
    if (line.ends_with('\r')) line.remove_suffix(1);
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

Status check_utf8(std::string_view text, const std::string& name) {
  return text::is_valid_utf8(text) ? Status() : Status::corrupt(name + ": is not UTF-8");
}

Result<std::vector<std::pair<std::string, std::string>>> parse_merges(std::string_view text, const std::string& name) {
  std::vector<std::pair<std::string, std::string>> merges;
  for (const std::string_view line : lines_of(text)) {
    if (line.starts_with("#version") || line.empty()) continue;
    const std::vector<std::string_view> sides = split(line, ' ');
    if (sides.size() != 2) return Status::corrupt(name + ": merges: " + quoted(line) + " is not a pair");
    merges.emplace_back(sides[0], sides[1]);
  }
  return merges;
}

void add_special(PipelineParts& parts, std::initializer_list<const char*> contents) {
  for (const char* content : contents) {
    const std::optional<TokenId> id = parts.model->vocabulary().find(content);
    if (id) parts.added_tokens.push_back({.content = content, .id = *id, .normalized = false, .special = true});
  }
}

void make_gpt2(PipelineParts& parts) {
  parts.kind = "byte-level BPE (gpt-2)";
  parts.pre_tokenizer = byte_level_pre_tokenizer({.add_prefix_space = false, .use_regex = true});
  parts.decoders.push_back(byte_level_decoder());
  add_special(parts, {"<|endoftext|>"});
  parts.bos = parts.eos = parts.model->vocabulary().find("<|endoftext|>");
}

void make_gpt1(PipelineParts& parts) {
  parts.kind = "BPE (gpt-1)";
  parts.normalizer = bert_normalizer({});
  parts.pre_tokenizer = bert_pre_tokenizer();
  parts.decoders.push_back(bpe_decoder(kEndOfWord));
  add_special(parts, {"<unk>"});
}

// One line of a rank file: the bytes of a token in base64, a space, its rank.
Status add_rank(std::string_view line, size_t num_lines, const std::string& name, Vocabulary& vocabulary) {
  const size_t space = line.find(' ');
  const std::optional<std::string> bytes = decode_base64(line.substr(0, space));
  const int64_t rank = space == std::string_view::npos ? -1 : parse_int(line.substr(space + 1)).value_or(-1);
  if (!bytes || bytes->empty() || rank < 0) return Status::corrupt(name + ": " + quoted(line) + " is no base64 token and rank");
  ATELIER_RETURN_IF_ERROR(Vocabulary::check_id(rank, num_lines, name));
  vocabulary.add(encode_byte_level(*bytes), static_cast<TokenId>(rank));
  return {};
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> Tokenizer::from_bpe_files(std::string_view vocab_json, std::string_view merges_text,
                                                             const std::string& name, std::string_view config_json) {
  ATELIER_RETURN_IF_ERROR(check_utf8(merges_text, name + ": merges"));
  ATELIER_TRY(const Json json, Json::parse(vocab_json, name));
  ATELIER_TRY(Vocabulary vocabulary, parse_vocabulary(json, name));
  ATELIER_TRY(const auto merges, parse_merges(merges_text, name));
  const bool is_gpt1 = std::any_of(merges.begin(), merges.end(), [](const auto& merge) { return merge.second.ends_with(kEndOfWord); });
  BpeOptions options;
  if (is_gpt1) {
    options.unk_token = "<unk>";
    options.end_of_word_suffix = kEndOfWord;
  }
  PipelineParts parts;
  ATELIER_TRY(parts.model, Bpe::create(std::move(vocabulary), merges, std::move(options), name));
  if (is_gpt1) {
    make_gpt1(parts);
  } else {
    make_gpt2(parts);
  }
  ATELIER_RETURN_IF_ERROR(apply_tokenizer_config(config_json, name, parts));
  return PipelineTokenizer::create(std::move(parts));
}

Result<std::unique_ptr<Tokenizer>> Tokenizer::from_wordpiece_vocab(std::string_view vocab, const std::string& name,
                                                                   std::string_view config_json) {
  ATELIER_RETURN_IF_ERROR(check_utf8(vocab, name));
  Vocabulary vocabulary;
  TokenId id = 0;
  for (const std::string_view line : lines_of(vocab)) vocabulary.add(std::string(line), id++, /*replaces=*/true);
  BertNormalizerOptions normalizer;
  if (!config_json.empty()) {
    ATELIER_TRY(const Json config, Json::parse(config_json, name + ": tokenizer_config.json"));
    ATELIER_TRY(normalizer.lowercase, config.get_bool("do_lower_case", true));
    ATELIER_TRY(normalizer.handle_chinese_chars, config.get_bool("tokenize_chinese_chars", true));
    ATELIER_TRY(normalizer.strip_accents, config.get_bool("strip_accents", normalizer.lowercase));
  }
  const std::optional<TokenId> cls = vocabulary.find("[CLS]"), sep = vocabulary.find("[SEP]");
  if (!cls || !sep || !vocabulary.find("[UNK]")) return Status::corrupt(name + ": the vocabulary lacks [CLS], [SEP] or [UNK]");
  PipelineParts parts;
  parts.kind = "WordPiece";
  parts.normalizer = bert_normalizer(normalizer);
  parts.pre_tokenizer = bert_pre_tokenizer();
  parts.model = std::make_unique<WordPiece>(std::move(vocabulary), WordPieceOptions{});
  add_special(parts, {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"});
  parts.post_processor = bert_post_processor(*cls, *sep);
  parts.decoders.push_back(word_piece_decoder("##", /*cleanup=*/true));
  ATELIER_RETURN_IF_ERROR(apply_tokenizer_config(config_json, name, parts));
  return PipelineTokenizer::create(std::move(parts));
}

Result<std::unique_ptr<Tokenizer>> Tokenizer::from_tiktoken(std::string_view ranks, const std::string& pattern, const std::string& name,
                                                            const std::vector<std::pair<std::string, TokenId>>& special_tokens) {
  const NamedPreTokenizer* named = find_pre_tokenizer(pattern);
  if (named == nullptr) return Status::not_found(name + ": the pattern " + quoted(pattern) + " is not known");
  const std::vector<std::string_view> lines = lines_of(ranks);
  Vocabulary vocabulary;
  for (const std::string_view line : lines) ATELIER_RETURN_IF_ERROR(add_rank(line, lines.size(), name, vocabulary));
  std::vector<uint32_t> order(static_cast<size_t>(vocabulary.size()));
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<uint32_t>(i);
  PipelineParts parts;
  parts.kind = "byte-level BPE (" + pattern + ")";
  for (const auto& [content, id] : special_tokens) {
    ATELIER_RETURN_IF_ERROR(Vocabulary::check_id(id, lines.size(), name));
    parts.added_tokens.push_back({.content = content, .id = id, .normalized = false, .special = true});
  }
  ATELIER_TRY(parts.pre_tokenizer, create_pre_tokenizer(*named));
  parts.model = Bpe::from_ranks(vocabulary);
  if (parts.model == nullptr) {
    parts.model = std::make_unique<ConcatBpe>(std::move(vocabulary), std::move(order), ConcatBpeOptions{.takes_whole_pieces = true});
  }
  parts.decoders.push_back(byte_level_decoder());
  return PipelineTokenizer::create(std::move(parts));
}

}  // namespace atelier::tokenize
