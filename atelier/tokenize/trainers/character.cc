// A token a character: BPE without a merge. Nothing is lost, spaces and line ends are characters too.
#include "atelier/tokenize/trainers/alphabet.h"
#include "atelier/tokenize/trainers/stages.h"

namespace atelier::tokenize {
namespace {

std::vector<std::string> special_tokens() { return {"<unk>"}; }

PipelineStages stages(const TrainerOptions& options) {
  PipelineStages stages;
  if (options.lowercase) stages.normalizer = stage("Lowercase");
  stages.pre_tokenizer = stage("FixedLength").set("length", 1);
  stages.decoder = stage("Fuse");
  return stages;
}

Result<Json> train(const WordCounts& counts, const TrainerOptions& options, const TrainingProgress&) {
  return bpe_json(initial_tokens(counts, options), {}, options);
}

}  // namespace

extern const TrainerDef trainer_character;
const TrainerDef trainer_character = {"character",
                                      "a token a character that occurs (--limit-alphabet: the most frequent)",
                                      "tokenizers 0.23.3, BpeTrainer without merges",
                                      special_tokens,
                                      stages,
                                      train};

}  // namespace atelier::tokenize
