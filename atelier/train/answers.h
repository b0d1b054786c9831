// Held-out questions, answered before the first step and by the model that a run leaves: what tuning changed, to be read.
//
// An answer is a line of log.jsonl: {"step", "question", "expected", "answer"}; the report and the terminal show the first and the last
// line of each question side by side.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/data/row.h"
#include "atelier/nn/transformer.h"
#include "atelier/train/sample.h"

namespace atelier::train {

struct Question {
  std::vector<int32_t> prompt, expected;  // what stands before the first answer of a dialogue, and that answer with its end token
};

// The first dialogues of `rows`, in the order of their numbers; fewer where there are fewer.
std::vector<Question> first_questions(const std::vector<data::Row>& rows, int64_t count);

// Answers, each the likeliest tokens up to a stop id, as lines of the log. `options` says all but the prompt.
Result<std::vector<Json>> answer_questions(nn::Transformer& transformer, const tokenize::Tokenizer& tokenizer,
                                           const std::vector<Question>& questions, SampleOptions options, int64_t step);

struct ComparedAnswer {
  std::string question, expected, before, after;  // `before` is empty where the run began with new weights
};
std::vector<ComparedAnswer> compared_answers(const std::vector<Json>& log);

}  // namespace atelier::train
