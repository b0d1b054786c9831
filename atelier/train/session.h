// What a recipe stands for, ready to run: tokenizer, model, optimizer and rows of data.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "atelier/data/dialogue.h"
#include "atelier/data/row.h"
#include "atelier/data/token_file.h"
#include "atelier/models/model.h"
#include "atelier/models/trainable.h"
#include "atelier/tokenize/chat_template.h"
#include "atelier/tokenize/tokenizer.h"
#include "atelier/train/recipe.h"
#include "atelier/train/task_data.h"

namespace atelier::train {

// The tokenizer of a run and the text of a chat template, if any; `origin` is the model they come from, null for a tokenizer of its own.
struct TextSide {
  std::shared_ptr<const models::Model> origin;  // its weights are not read
  std::unique_ptr<tokenize::Tokenizer> owned;   // of a file, or learnt
  std::string config_json;                      // tokenizer_config.json beside a file, or ""
  std::string learnt_json;                      // tokenizer.json of `owned`; "" where the tokenizer is origin's
  const tokenize::Tokenizer* tokenizer = nullptr;
  int64_t num_known_tokens = 0;   // of the tokenizer before model.add_tokens
  std::vector<int32_t> stop_ids;  // end of text and end of turn
  std::optional<tokenize::ChatTemplate> chat_template;
};
Result<TextSide> open_text_side(const Recipe& recipe);

// Rows to learn from and rows to be judged by. Keeps what the rows are made of.
class DataSide {
 public:
  // Tokens of text lie in files in `folder`, which exists.
  static Result<std::unique_ptr<DataSide>> open(const Recipe& recipe, const TextSide& text, const std::string& folder);
  data::RowSource& train() { return *train_; }
  const std::vector<data::Row>& validation() const { return validation_; }
  // Of a task: the head that its labels ask for, and what it is scored on.
  const nn::HeadSpec& head() const { return head_; }
  const TaskRows& judged() const { return judged_; }
  const TaskRows& test() const { return test_; }

 private:
  Status open_text(const Recipe& recipe, const tokenize::Tokenizer& tokenizer, const std::string& folder);
  Status open_examples(const Recipe& recipe, const TextSide& text);
  Status open_task(const Recipe& recipe, const tokenize::Tokenizer& tokenizer);
  std::vector<std::shared_ptr<const data::TokenFile>> token_files_;
  data::DialogueEncoder encoder_;
  std::unique_ptr<data::RowSource> train_;
  std::vector<data::Row> validation_;
  nn::HeadSpec head_;
  TaskRows judged_, test_;
};

// New weights, or those of `model.from`, with rows for tokens that `text` added, and with `head` if that is of a kind.
Result<std::unique_ptr<models::TrainableModel>> open_trainable(const Recipe& recipe, const TextSide& text, const nn::HeadSpec& head);

// The schedule with its warm-up in steps.
optim::ScheduleOptions resolved_schedule(const Recipe& recipe);

// The optimizer's view of a model's parameters.
std::vector<optim::Parameter> optimizer_parameters(models::TrainableModel& model);

}  // namespace atelier::train
