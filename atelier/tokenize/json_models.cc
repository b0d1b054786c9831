#include "atelier/tokenize/json_models.h"

#include "atelier/base/strings.h"
#include "atelier/tokenize/bpe.h"
#include "atelier/tokenize/json_pattern.h"
#include "atelier/tokenize/unigram.h"
#include "atelier/tokenize/word_level.h"
#include "atelier/tokenize/word_piece.h"

namespace atelier::tokenize {
namespace {

using ModelResult = Result<std::unique_ptr<Model>>;
using Merges = std::vector<std::pair<std::string, std::string>>;

// Files of before 2022 do not name their model's type.
std::string guess_type(const Json& json) {
  const Json* vocab = json.find("vocab");
  if (json.contains("merges")) return "BPE";
  if (vocab != nullptr && vocab->is_array()) return "Unigram";
  return json.contains("continuing_subword_prefix") ? "WordPiece" : "WordLevel";
}

Result<Vocabulary> parse_vocab_member(const Json& json, const std::string& name) {
  const Json* vocab = json.find("vocab");
  if (vocab == nullptr) return Status::corrupt(name + ": model has no vocab");
  return parse_vocabulary(*vocab, name);
}

// ["left", "right"], or "left right" as files of before 2024 have it.
Result<Merges> parse_merges(const Json& json, const std::string& name) {
  ATELIER_TRY(const Json::Array* entries, get_array(json, "merges", name));
  Merges merges;
  merges.reserve(entries->size());
  for (const Json& entry : *entries) {
    if (entry.is_string()) {
      const std::string& line = entry.as_string();
      if (line.starts_with("#version")) continue;
      const std::vector<std::string_view> sides = split(line, ' ');
      if (sides.size() != 2) return Status::corrupt(name + ": merges: " + quoted(line) + " is not a pair");
      merges.emplace_back(sides[0], sides[1]);
      continue;
    }
    if (!entry.is_array() || entry.as_array().size() != 2 || !entry.as_array()[0].is_string() || !entry.as_array()[1].is_string()) {
      return Status::corrupt(name + ": merges: " + quoted(entry.dump()) + " is not a pair of strings");
    }
    merges.emplace_back(entry.as_array()[0].as_string(), entry.as_array()[1].as_string());
  }
  return merges;
}

ModelResult create_bpe(const Json& json, const std::string& name) {
  ATELIER_TRY(Vocabulary vocabulary, parse_vocab_member(json, name));
  ATELIER_TRY(const Merges merges, parse_merges(json, name));
  BpeOptions options;
  if (const Json* unk = json.find("unk_token"); unk != nullptr && unk->is_string()) options.unk_token = unk->as_string();
  ATELIER_TRY(options.fuse_unk, json.get_bool("fuse_unk", false));
  ATELIER_TRY(options.byte_fallback, json.get_bool("byte_fallback", false));
  ATELIER_TRY(options.ignore_merges, json.get_bool("ignore_merges", false));
  ATELIER_TRY(options.continuing_subword_prefix, json.get_string("continuing_subword_prefix", ""));
  ATELIER_TRY(options.end_of_word_suffix, json.get_string("end_of_word_suffix", ""));
  ATELIER_TRY(auto bpe, Bpe::create(std::move(vocabulary), merges, std::move(options), name));
  return std::unique_ptr<Model>(std::move(bpe));
}

ModelResult create_unigram(const Json& json, const std::string& name) {
  ATELIER_TRY(const Json::Array* entries, get_array(json, "vocab", name));
  Vocabulary vocabulary;
  std::vector<double> scores;
  for (const Json& entry : *entries) {
    if (!entry.is_array() || entry.as_array().size() != 2 || !entry.as_array()[0].is_string() || !entry.as_array()[1].is_number()) {
      return Status::corrupt(name + ": vocab: " + quoted(entry.dump()) + " is not a pair of piece and score");
    }
    vocabulary.add(entry.as_array()[0].as_string(), static_cast<TokenId>(scores.size()), /*replaces=*/true);
    scores.push_back(entry.as_array()[1].as_double());
  }
  UnigramOptions options;
  ATELIER_TRY(options.byte_fallback, json.get_bool("byte_fallback", false));
  if (const Json* unk = json.find("unk_id"); unk != nullptr && !unk->is_null()) {
    ATELIER_TRY(const int64_t id, json.get_int("unk_id"));
    if (id < 0 || id >= vocabulary.size()) return Status::corrupt(name + ": unk_id " + std::to_string(id) + " is not in the vocabulary");
    options.unk_id = static_cast<TokenId>(id);
  }
  ATELIER_TRY(auto unigram, Unigram::create(std::move(vocabulary), std::move(scores), std::move(options), name));
  return std::unique_ptr<Model>(std::move(unigram));
}

ModelResult create_word_piece(const Json& json, const std::string& name) {
  ATELIER_TRY(Vocabulary vocabulary, parse_vocab_member(json, name));
  WordPieceOptions options;
  ATELIER_TRY(options.unk_token, json.get_string("unk_token", options.unk_token));
  ATELIER_TRY(options.continuing_subword_prefix, json.get_string("continuing_subword_prefix", options.continuing_subword_prefix));
  ATELIER_TRY(const int64_t limit, json.get_int("max_input_chars_per_word", 100));
  if (limit < 0) return Status::corrupt(name + ": max_input_chars_per_word is " + std::to_string(limit));
  options.max_input_chars_per_word = static_cast<size_t>(limit);
  return std::unique_ptr<Model>(std::make_unique<WordPiece>(std::move(vocabulary), std::move(options)));
}

ModelResult create_word_level(const Json& json, const std::string& name) {
  ATELIER_TRY(Vocabulary vocabulary, parse_vocab_member(json, name));
  ATELIER_TRY(std::string unk_token, json.get_string("unk_token", "<unk>"));
  return std::unique_ptr<Model>(std::make_unique<WordLevel>(std::move(vocabulary), std::move(unk_token)));
}

}  // namespace

Result<Vocabulary> parse_vocabulary(const Json& json, const std::string& name) {
  if (!json.is_object()) return Status::corrupt(name + ": the vocabulary is no object of tokens and ids");
  const Json::Object& entries = json.as_object();
  Vocabulary vocabulary;
  for (const auto& [token, id] : entries) {
    if (!id.is_int()) return Status::corrupt(name + ": the id of " + quoted(token) + " is no integer");
    ATELIER_RETURN_IF_ERROR(Vocabulary::check_id(id.as_int(), entries.size(), name));
    vocabulary.add(token, static_cast<TokenId>(id.as_int()));
  }
  return vocabulary;
}

ModelResult create_model(const Json& json, const std::string& name) {
  ATELIER_TRY(const std::string type, json.get_string("type", guess_type(json)));
  if (type == "BPE") return create_bpe(json, name);
  if (type == "Unigram") return create_unigram(json, name);
  if (type == "WordPiece") return create_word_piece(json, name);
  if (type == "WordLevel") return create_word_level(json, name);
  return Status::unsupported(name + ": the model type " + quoted(type) + " is none of BPE, Unigram, WordPiece, WordLevel");
}

}  // namespace atelier::tokenize
