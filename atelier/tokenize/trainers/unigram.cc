// Unigram (Kudo 2018) as SentencePiece trains it: many substrings to begin with, then EM and pruning in turn until few enough are left.
#include <algorithm>
#include <cmath>
#include <limits>

#include "atelier/base/strings.h"
#include "atelier/text/utf8.h"
#include "atelier/tokenize/trainers/alphabet.h"
#include "atelier/tokenize/trainers/seed_pieces.h"
#include "atelier/tokenize/trainers/stages.h"
#include "atelier/tokenize/trainers/unigram_model.h"

namespace atelier::tokenize {
namespace {

std::vector<std::string> special_tokens() { return {"<unk>", "<s>", "</s>"}; }

// SentencePiece's nmt_nfkc, extra white space removed.
PipelineStages stages(const TrainerOptions& options) {
  Json::Array steps = {stage("Nmt"), stage("NFKC")};
  if (options.lowercase) steps.push_back(stage("Lowercase"));
  steps.push_back(stage("Replace").set("pattern", Json::object().set("Regex", " {2,}")).set("content", " "));
  steps.push_back(stage("Strip").set("strip_left", true).set("strip_right", true));
  PipelineStages stages;
  stages.normalizer = stages_in_order("normalizers", std::move(steps));
  stages.pre_tokenizer = metaspace_stage("always");
  stages.decoder = metaspace_stage("always");
  return stages;
}

using Characters = std::vector<std::pair<char32_t, uint64_t>>;  // with their counts

// The most frequent characters, as many as make up `coverage` of the text, in ascending order.
Characters covering_characters(const WordCounts& counts, double coverage) {
  Characters characters = count_characters(counts);
  uint64_t total = 0, covered = 0;
  for (const auto& [c, count] : characters) total += count;
  std::stable_sort(characters.begin(), characters.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  size_t kept = 0;
  for (; kept < std::min(characters.size(), kMaxCharacters) && static_cast<double>(covered) < coverage * static_cast<double>(total);
       ++kept) {
    covered += characters[kept].second;
  }
  characters.resize(kept);
  std::sort(characters.begin(), characters.end());
  return characters;
}

// The parts of words that are made of `characters` alone: no piece reaches across another one.
std::vector<CountedWord> cut_at_other_characters(const WordCounts& counts, const Characters& characters) {
  std::vector<CountedWord> parts;
  parts.reserve(counts.words().size());
  const auto is_kept = [&](char32_t c) {
    const auto at =
        std::lower_bound(characters.begin(), characters.end(), c, [](const auto& entry, char32_t x) { return entry.first < x; });
    return at != characters.end() && at->first == c;
  };
  for (const CountedWord& word : counts.words()) {
    size_t begin = 0;
    for (size_t i = 0, length = 0; i < word.word.size(); i += length) {
      if (is_kept(text::decode_utf8(word.word, i, length))) continue;
      if (begin < i) parts.push_back({word.word.substr(begin, i - begin), word.count});
      begin = i + length;
    }
    if (begin < word.word.size()) parts.push_back({word.word.substr(begin), word.count});
  }
  return parts;
}

// The characters and the pieces of the highest scores, `size` in all, by descending score.
std::vector<UnigramPiece> choose_final(std::vector<UnigramPiece> pieces, size_t size) {
  std::sort(pieces.begin(), pieces.end(), [](const UnigramPiece& a, const UnigramPiece& b) {
    if (a.is_character != b.is_character) return a.is_character;
    return a.score != b.score ? a.score > b.score : a.text < b.text;
  });
  pieces.resize(std::min(pieces.size(), size));
  std::sort(pieces.begin(), pieces.end(),
            [](const UnigramPiece& a, const UnigramPiece& b) { return a.score != b.score ? a.score > b.score : a.text < b.text; });
  return pieces;
}

Json unigram_json(const std::vector<UnigramPiece>& pieces, const std::vector<std::string>& special_tokens, const std::string& unknown) {
  Json::Array vocab;
  for (const std::string& token : special_tokens) vocab.push_back(Json::Array{Json(token), Json(0.0)});
  for (const UnigramPiece& piece : pieces) vocab.push_back(Json::Array{Json(piece.text), Json(piece.score)});
  const auto unk_id = std::find(special_tokens.begin(), special_tokens.end(), unknown) - special_tokens.begin();
  return stage("Unigram").set("unk_id", static_cast<int64_t>(unk_id)).set("vocab", Json(std::move(vocab))).set("byte_fallback", false);
}

Result<Json> train(const WordCounts& counts, const TrainerOptions& options, const TrainingProgress& progress) {
  const std::optional<std::string> unknown = find_unknown_token(*options.special_tokens);
  if (!unknown) return Status::invalid("special tokens: without <unk>, which Unigram needs; add it");
  const Characters characters = covering_characters(counts, options.character_coverage);
  const auto size = static_cast<size_t>(options.vocab_size);
  const size_t num_fixed = characters.size() + options.special_tokens->size();
  if (num_fixed > size) {
    return Status::invalid("vocabulary size: " + std::to_string(size) + ", the alphabet and the special tokens alone are " +
                           std::to_string(num_fixed) + "; raise it or lower the character coverage");
  }
  const std::vector<CountedWord> words = cut_at_other_characters(counts, characters);
  UnigramModel model(
      words, find_seed_pieces(words, characters, static_cast<size_t>(options.seed_pieces), static_cast<size_t>(options.max_piece_length)),
      characters.size());
  // A tenth more than asked for is left by pruning; scores choose among these.
  const auto target = static_cast<size_t>(1.1 * static_cast<double>(size));
  const double shrinking = std::log(options.shrinking_factor);
  const auto rounds_left = [&] {
    const double ratio = static_cast<double>(target) / static_cast<double>(std::max(target, model.num_pieces()));
    return static_cast<int64_t>(std::ceil(std::log(ratio) / shrinking)) + 1;
  };
  for (int64_t round = 0;; ++round) {
    for (int64_t i = 0; i < options.num_sub_iterations; ++i) {
      if (!progress("learn pieces", round, round + rounds_left())) return Status::cancelled("tokenizer: training was stopped");
      model.maximize();
    }
    if (model.num_pieces() <= target) break;
    model.prune(std::max(target, static_cast<size_t>(options.shrinking_factor * static_cast<double>(model.num_pieces()))));
  }
  model.remove_dead();
  return unigram_json(choose_final(model.pieces(), size - options.special_tokens->size()), *options.special_tokens, *unknown);
}

}  // namespace

extern const TrainerDef trainer_unigram;
const TrainerDef trainer_unigram = {
    "unigram", "pieces of a unigram language model, as SentencePiece's", "arXiv:1804.10959; SentencePiece 0.2.3", special_tokens, stages,
    train};

}  // namespace atelier::tokenize
