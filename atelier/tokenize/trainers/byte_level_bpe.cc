// Byte-level BPE (Radford et al. 2019, GPT-2): all 256 bytes are in the alphabet, so that any text can be spelled.
#include "atelier/tokenize/trainers/alphabet.h"
#include "atelier/tokenize/trainers/learn_merges.h"
#include "atelier/tokenize/trainers/stages.h"

namespace atelier::tokenize {
namespace {

std::vector<std::string> special_tokens() { return {"<|endoftext|>"}; }

Result<Json> train(const WordCounts& counts, const TrainerOptions& options, const TrainingProgress& progress) {
  if (!options.end_of_word_suffix.empty() || !options.continuing_subword_prefix.empty()) {
    return Status::invalid("prefix and suffix: not for byte-level-bpe, whose words carry their space; train bpe or wordpiece");
  }
  TrainerOptions with_bytes = options;
  with_bytes.initial_alphabet = byte_level_alphabet();
  ATELIER_TRY(const LearntMerges learnt, learn_merges(counts, with_bytes, progress));
  return bpe_json(learnt.tokens, learnt.merges, options);
}

}  // namespace

extern const TrainerDef trainer_byte_level_bpe;
const TrainerDef trainer_byte_level_bpe = {"byte-level-bpe",
                                           "byte-pair encoding of bytes, as GPT-2's",
                                           "Radford et al. 2019; tokenizers 0.23.3, BpeTrainer",
                                           special_tokens,
                                           byte_level_stages,
                                           train};

}  // namespace atelier::tokenize
