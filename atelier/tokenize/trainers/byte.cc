// A token a byte: byte-level BPE without a merge.
#include "atelier/tokenize/trainers/alphabet.h"
#include "atelier/tokenize/trainers/stages.h"

namespace atelier::tokenize {
namespace {

std::vector<std::string> special_tokens() { return {"<|endoftext|>"}; }

Result<Json> train(const WordCounts&, const TrainerOptions& options, const TrainingProgress&) {
  TrainerOptions only_bytes = options;
  only_bytes.initial_alphabet = byte_level_alphabet();
  only_bytes.limit_alphabet.reset();
  return bpe_json(initial_tokens(WordCounts(), only_bytes), {}, options);
}

}  // namespace

extern const TrainerDef trainer_byte;
const TrainerDef trainer_byte = {"byte",
                                 "a token a byte; the vocabulary is the same for every text",
                                 "as byte-level-bpe without merges",
                                 special_tokens,
                                 byte_level_stages,
                                 train};

}  // namespace atelier::tokenize
