// Records of a task as rows that a head learns from, and what they were, to be judged by.
//
//   sequence_classification  {"text", "text_pair"?, "label"}: a name; a number for a regression; a list of names for many labels
//   token_classification     {"words", "tags"}: a word's label stands at its first token, the others carry no loss
//   question_answering       {"question", "context", "answers": [{"text", "answer_start"}]}: documents that are too long are read through
//                            windows; one that does not hold the answer points to its first token
//   multiple_choice          {"text", "choices", "label"}: a document for each choice, behind the text; the label is the right one's number
//
// Source   Devlin et al. 2018, arXiv:1810.04805, 4 and A.5; windows and answers as google-research/bert's run_squad.py
#pragma once

#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/data/objective.h"
#include "atelier/data/records.h"
#include "atelier/data/row.h"
#include "atelier/models/encoder_input.h"
#include "atelier/nn/heads.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::train {

// One row: a record, or one window of it.
struct TaskRow {
  data::Row row;
  int64_t record = 0;
  std::vector<int32_t> first_tokens;  // kTokens: of each word, or -1 where it has none within the context
  models::EncoderInput window;        // kSpan
};

struct TaskRows {
  std::vector<Json> records;
  std::vector<TaskRow> rows;
};

// Names of the labels in all files' records, numbers in their order, others by their bytes. Corrupt for a record without a label.
Result<std::vector<std::string>> labels_of(data::TaskKind task, const std::vector<std::vector<Json>>& files);

// The head for a task whose labels these are: none for regressions, answers and choices.
nn::HeadSpec head_of(data::TaskKind task, nn::ProblemKind problem, std::vector<std::string> labels);

class TaskEncoder {
 public:
  // `context` tokens of a document at most, of which windows share `shared`. The tokenizer outlives the encoder.
  TaskEncoder(const tokenize::Tokenizer& tokenizer, data::TaskKind task, nn::HeadSpec head, int64_t context, int64_t shared);

  // Errors name the record's number: what is missing or has the wrong type, a label that the head does not know.
  Result<TaskRows> encode(std::vector<Json> records) const;

 private:
  Status encode_record(const Json& record, TaskRows& out) const;
  Status encode_text(const Json& record, TaskRow& out) const;
  Status encode_tokens(const Json& record, TaskRow& out) const;
  Status encode_choices(const Json& record, TaskRow& out) const;
  Status encode_windows(const Json& record, TaskRows& out) const;
  Status set_text_label(const Json& record, data::Row& row) const;
  Result<int32_t> label_of(const Json& name) const;

  const tokenize::Tokenizer& tokenizer_;
  data::TaskKind task_;
  nn::HeadSpec head_;
  int64_t context_, shared_;
};

}  // namespace atelier::train
