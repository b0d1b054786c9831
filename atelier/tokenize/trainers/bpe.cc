// BPE on characters. Words carry their space as a "▁" in front and lines are apart, so that text comes back as it was; with a prefix or a
// suffix that marks the places inside or at the end of a word (Sennrich's and GPT-1's "</w>"), white space itself is not kept.
#include "atelier/tokenize/trainers/learn_merges.h"
#include "atelier/tokenize/trainers/stages.h"

namespace atelier::tokenize {
namespace {

std::vector<std::string> special_tokens() { return {"<unk>"}; }

PipelineStages stages(const TrainerOptions& options) {
  PipelineStages stages;
  if (options.lowercase) stages.normalizer = stage("Lowercase");
  if (!options.end_of_word_suffix.empty() || !options.continuing_subword_prefix.empty()) {
    stages.pre_tokenizer = stage("WhitespaceSplit");
    stages.decoder = options.continuing_subword_prefix.empty()
                         ? stage("BPEDecoder").set("suffix", options.end_of_word_suffix)
                         : stage("WordPiece").set("prefix", options.continuing_subword_prefix).set("cleanup", false);
    return stages;
  }
  Json line_ends = stage("Split").set("pattern", Json::object().set("String", "\n")).set("behavior", "Isolated").set("invert", false);
  stages.pre_tokenizer = stages_in_order("pretokenizers", {std::move(line_ends), metaspace_stage("first")});
  stages.decoder = metaspace_stage("first");
  return stages;
}

Result<Json> train(const WordCounts& counts, const TrainerOptions& options, const TrainingProgress& progress) {
  if (!options.end_of_word_suffix.empty() && !options.continuing_subword_prefix.empty()) {
    return Status::invalid("prefix and suffix: both given, no decoder takes both away; leave one out");
  }
  ATELIER_TRY(const LearntMerges learnt, learn_merges(counts, options, progress));
  return bpe_json(learnt.tokens, learnt.merges, options);
}

}  // namespace

extern const TrainerDef trainer_bpe;
const TrainerDef trainer_bpe = {"bpe",
                                "byte-pair encoding of characters, with an unknown token",
                                "arXiv:1508.07909; tokenizers 0.23.3, BpeTrainer",
                                special_tokens,
                                stages,
                                train};

}  // namespace atelier::tokenize
