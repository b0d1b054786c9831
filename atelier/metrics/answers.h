// Answers to questions as SQuAD judges them: the same words, or how many words in common.
//
// Both sides are normalised: lower case, ASCII punctuation out, the words a, an and the out, white space collapsed.
// Source   evaluate-v1.1.py of rajpurkar/SQuAD-explorer; Rajpurkar et al. 2016, arXiv:1606.05250, 6.1
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "atelier/base/status.h"

namespace atelier::metrics {

// Corrupt for text that is no UTF-8.
Result<std::string> normalised_answer(std::string_view text);

struct AnswerScore {
  double exact_match = 0, f1 = 0;  // in [0, 1]; the script prints them times 100
};

// The best of each over the accepted answers, of which there is at least one.
Result<AnswerScore> answer_score(std::string_view predicted, std::span<const std::string> accepted);

}  // namespace atelier::metrics
