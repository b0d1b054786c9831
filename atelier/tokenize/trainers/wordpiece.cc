// WordPiece with BERT's stages. The vocabulary is that of BPE with "##" before every symbol but a word's first, as Hugging Face trains it;
// encoding takes the longest piece that fits and needs no merges.
#include <algorithm>

#include "atelier/tokenize/trainers/learn_merges.h"
#include "atelier/tokenize/trainers/stages.h"

namespace atelier::tokenize {
namespace {

std::vector<std::string> special_tokens() { return {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}; }

std::string prefix_of(const TrainerOptions& options) {
  return options.continuing_subword_prefix.empty() ? "##" : options.continuing_subword_prefix;
}

// "[CLS] text [SEP]", where both are special tokens.
Json post_processor(const std::vector<std::string>& special_tokens) {
  const auto token_and_id = [&](const char* token) {
    const auto it = std::find(special_tokens.begin(), special_tokens.end(), token);
    return it == special_tokens.end() ? Json() : Json(Json::Array{Json(token), Json(static_cast<int64_t>(it - special_tokens.begin()))});
  };
  Json cls = token_and_id("[CLS]"), sep = token_and_id("[SEP]");
  if (cls.is_null() || sep.is_null()) return {};
  return stage("BertProcessing").set("sep", std::move(sep)).set("cls", std::move(cls));
}

PipelineStages stages(const TrainerOptions& options) {
  PipelineStages stages;
  stages.normalizer = stage("BertNormalizer").set("clean_text", true).set("handle_chinese_chars", true);
  stages.normalizer.set("strip_accents", nullptr).set("lowercase", options.lowercase);
  stages.pre_tokenizer = stage("BertPreTokenizer");
  stages.post_processor = post_processor(*options.special_tokens);
  stages.decoder = stage("WordPiece").set("prefix", prefix_of(options)).set("cleanup", true);
  return stages;
}

Result<Json> train(const WordCounts& counts, const TrainerOptions& options, const TrainingProgress& progress) {
  const std::optional<std::string> unknown = find_unknown_token(*options.special_tokens);
  if (!unknown) return Status::invalid("special tokens: without [UNK], which WordPiece needs; add it");
  TrainerOptions with_prefix = options;
  with_prefix.continuing_subword_prefix = prefix_of(options);
  ATELIER_TRY(const LearntMerges learnt, learn_merges(counts, with_prefix, progress));
  Json model = stage("WordPiece").set("unk_token", *unknown).set("continuing_subword_prefix", with_prefix.continuing_subword_prefix);
  return model.set("max_input_chars_per_word", 100).set("vocab", vocabulary_json(learnt.tokens));
}

}  // namespace

extern const TrainerDef trainer_wordpiece;
const TrainerDef trainer_wordpiece = {"wordpiece",
                                      "BERT's pieces, \"##\" before what continues a word",
                                      "arXiv:1609.08144; tokenizers 0.23.3, WordPieceTrainer",
                                      special_tokens,
                                      stages,
                                      train};

}  // namespace atelier::tokenize
