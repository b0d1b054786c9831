// BERT's masks: a part of the tokens is hidden, and the model is to say what stood there.
//
// round(15 % of the length) positions, at least one, special tokens counted but never chosen; Python's rounding, half to even. Of the
// chosen 80 % become the mask token, 10 % stay, 10 % become any token of the vocabulary, special ones included: drawn in that order. With
// whole words the pieces behind a word's first ("##ing") are chosen with it, a word that would overshoot the number is skipped, and each
// piece is replaced by a draw of its own.
// Source   create_masked_lm_predictions of google-research/bert, create_pretraining_data.py; Devlin et al. 2018, arXiv:1810.04805, 3.1
#pragma once

#include <cstdint>
#include <span>

#include "atelier/data/objective.h"

namespace atelier::data {

inline constexpr double kMaskedPart = 0.15;

// [CLS] tokens [SEP], masked.
Example mask_tokens(const ObjectiveTokens& vocabulary, std::span<const int32_t> tokens, bool whole_words, uint64_t seed, uint64_t sample);

}  // namespace atelier::data
