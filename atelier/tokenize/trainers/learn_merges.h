// Byte-pair encoding's training (Sennrich et al. 2016, arXiv:1508.07909): the most frequent pair of neighbouring symbols is merged, again
// and again.
//
// The result equals that of Hugging Face tokenizers 0.23.3 (BpeTrainer; WordPieceTrainer, which is the same with a prefix): of equally
// frequent pairs the one of the lower (left id, right id) goes first. Pairs know the words that they occur in, so that a merge looks at
// these alone, and lie in a queue by the count that they had when they were put there: a count that has changed since is put right when
// the pair comes to the front.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "atelier/tokenize/trainer.h"

namespace atelier::tokenize {

struct LearntMerges {
  std::vector<std::string> tokens;                  // by id
  std::vector<std::pair<TokenId, TokenId>> merges;  // in order of rank, each pair once
};

// Fails when the special tokens and the alphabet alone are more than options.vocab_size.
Result<LearntMerges> learn_merges(const WordCounts& counts, const TrainerOptions& options, const TrainingProgress& progress);

}  // namespace atelier::tokenize
