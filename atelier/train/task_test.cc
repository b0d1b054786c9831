// Heads that learn: each task from its records to a folder that its verb runs, with the metric that fits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "atelier/format/checkpoint.h"
#include "atelier/io/file.h"
#include "atelier/metrics/labels.h"
#include "atelier/models/model.h"
#include "atelier/parallel/parallel.h"
#include "atelier/train/recipe.h"
#include "atelier/train/task_data.h"
#include "atelier/train/trainer.h"
#include "tests/support/encoder_folder.h"
#include "tests/support/json_at.h"

namespace atelier::train {
namespace {

using testing::EncoderFolder;

class TaskTest : public ::testing::Test {
 protected:
  TaskTest() : num_threads_(num_threads()) { set_num_threads(1); }
  ~TaskTest() override { set_num_threads(num_threads_); }

  // A word of w0 to w26, another for each number.
  static std::string word(int number) { return "w" + std::to_string((number * 11 + number / 27 * 5) % 27); }

  // A run of the golden encoder "bert" on `data`, which lies in its folder.
  Result<TrainResult> run(const std::string& name, const std::string& data, std::vector<std::string> overrides) {
    folder_.write(name + ".txt", data);
    const std::string text = "model: {from: " + folder_.path() + ", precision: f32}\nruns: " + folder_.path() + "/runs\nname: " + name +
                             "\ndata: {train: " + folder_.path() + "/" + name +
                             ".txt, validation_fraction: 0.25, context: 40}\n"
                             "optimizer: {learning_rate: 1e-2}\ntraining: {steps: 60, batch: 16}\nevaluation: {every: 20}\n"
                             "checkpoints: {every: 0}\n";
    ATELIER_TRY(const Recipe recipe, parse_recipe(text, "task.yaml", overrides));
    return train(recipe, false, {});
  }

  Json config_of(const TrainResult& result) const {
    return Json::parse(io::read_file(result.model + "/config.json").value(), "config.json").value();
  }

  static double score(const Scores& scores, const std::string& name) {
    const auto found = std::ranges::find_if(scores, [&](const auto& one) { return one.first == name; });
    return found == scores.end() ? -2 : found->second;
  }

  // Sentences of which those with "cat" are of one kind.
  static std::string sentences() {
    std::string text;
    for (int i = 0; i < 160; ++i)
      text += word(i) + (i % 2 == 0 ? " cat " : " mat ") + word(i + 3) + "\t" + (i % 2 == 0 ? "animal" : "thing") + "\n";
    return text;
  }
  static std::vector<std::string> of_sentences(std::vector<std::string> more = {}) {
    more.insert(more.end(), {"data.objective=sequence_classification", "data.format=table", "data.columns=[text, label]"});
    return more;
  }

  int num_threads_;
  EncoderFolder folder_{"bert"};
};

TEST_F(TaskTest, texts_are_told_apart_and_the_folder_is_one_of_transformers) {
  const auto result = run("texts", sentences(), of_sentences());
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_EQ(score(result->best_scores, "accuracy"), 1);
  EXPECT_EQ(score(result->best_scores, "matthews"), 1);
  const Json config = config_of(*result);
  EXPECT_EQ(testing::at(config, {"architectures", "0"}).as_string(), "BertForSequenceClassification");
  EXPECT_EQ(testing::at(config, {"id2label", "1"}).as_string(), "thing");
  const auto model = models::load_model(result->model, {.precision = Precision::kF32});
  ASSERT_TRUE(model.ok()) << model.status().message();
  const auto log = io::read_file(result->folder + "/log.jsonl").value();
  EXPECT_NE(log.find("\"validation_accuracy\""), std::string::npos);
}

TEST_F(TaskTest, a_frozen_body_keeps_its_bits) {
  const auto result = run("frozen", sentences(), of_sentences({"model.freeze_body=true"}));
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_GT(score(result->best_scores, "accuracy"), 0.5);
  const auto before = format::open_checkpoint(folder_.path()).value(), after = format::open_checkpoint(result->model).value();
  int compared = 0;
  for (const char* name : {"encoder.layer.1.output.dense.weight", "embeddings.word_embeddings.weight", "pooler.dense.weight"}) {
    const auto* had = before->find(name);
    const auto* has = after->find(std::string("bert.") + name);
    ASSERT_TRUE(had != nullptr && has != nullptr) << name;
    EXPECT_EQ(std::memcmp(had->data, has->data, had->bytes), 0) << name;
    ++compared;
  }
  EXPECT_EQ(compared, 3);
}

TEST_F(TaskTest, low_rank_additions_learn_with_the_head_and_are_saved_beside_it) {
  const auto result = run("lora", sentences(), of_sentences({"lora.rank=2", "lora.targets=[q, v]"}));
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_GT(score(result->best_scores, "accuracy"), 0.9);
  const Json config = Json::parse(io::read_file(result->folder + "/adapter/adapter_config.json").value(), "adapter").value();
  EXPECT_EQ(testing::at(config, {"task_type"}).as_string(), "SEQ_CLS");
  EXPECT_EQ(testing::at(config, {"modules_to_save"}).dump(), R"(["classifier"])");
  const auto adapter = format::open_checkpoint(result->folder + "/adapter/adapter_model.safetensors");
  ASSERT_TRUE(adapter.ok()) << adapter.status().message();
  EXPECT_NE((*adapter)->find("base_model.model.classifier.weight"), nullptr);
}

TEST_F(TaskTest, numbers_and_lists_of_labels_are_learnt_from_pairs_too) {
  std::string numbers, lists;
  for (int i = 0; i < 160; ++i) {
    const bool has_cat = i % 2 == 0, has_mat = i % 3 == 0;
    numbers += R"({"text": "the )" + word(i) + R"(", "text_pair": ")" + (has_cat ? "cat" : "mat") + R"(", "label": )" +
               (has_cat ? "4.5" : "0.5") + "}\n";
    std::string labels = has_cat ? "\"animal\"" : "";
    if (has_mat) labels += (labels.empty() ? "" : ", ") + std::string("\"thing\"");
    lists += R"({"text": ")" + word(i) + (has_cat ? " cat" : " .") + (has_mat ? " mat" : " ,") + R"(", "label": [)" + labels + "]}\n";
  }
  folder_.write("numbers.jsonl", numbers);
  folder_.write("lists.jsonl", lists);
  const auto of = [&](const char* file, const char* problem) {
    return std::vector<std::string>{"data.objective=sequence_classification", "data.format=records",
                                    "data.train=" + folder_.path() + "/" + file, std::string("data.problem=") + problem};
  };
  const auto regression = run("numbers", "-", of("numbers.jsonl", "regression"));
  ASSERT_TRUE(regression.ok()) << regression.status().message();
  EXPECT_GT(score(regression->best_scores, "pearson"), 0.95);
  EXPECT_EQ(testing::at(config_of(*regression), {"problem_type"}).as_string(), "regression");
  const auto many = run("lists", "-", of("lists.jsonl", "many_labels"));
  ASSERT_TRUE(many.ok()) << many.status().message();
  EXPECT_GT(score(many->best_scores, "f1"), 0.95);
  EXPECT_EQ(testing::at(config_of(*many), {"problem_type"}).as_string(), "multi_label_classification");
}

TEST_F(TaskTest, words_are_tagged_by_their_first_token) {
  std::string text;
  for (int i = 0; i < 160; ++i) {
    text += word(i) + " O\n";
    text += i % 2 == 0 ? "cats B-ANIMAL\n" : "mat O\n";  // "cats" is two tokens
    if (i % 4 == 0) text += "cat I-ANIMAL\n";
    text += ". O\n\n";
  }
  const auto result =
      run("words", text, {"data.objective=token_classification", "data.format=conll", "data.test=" + folder_.path() + "/words.txt"});
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_GT(score(result->best_scores, "f1"), 0.95);
  EXPECT_GT(score(result->test_scores, "f1"), 0.95);
  EXPECT_EQ(testing::at(config_of(*result), {"architectures", "0"}).as_string(), "BertForTokenClassification");
}

TEST_F(TaskTest, answers_are_found_in_documents_that_need_windows) {
  std::string text;
  for (int i = 0; i < 120; ++i) {
    std::string context;
    const int place = i * 7 % 30;
    size_t start = 0;
    for (int k = 0; k < 30; ++k) {
      if (k == place) start = context.size();
      context += k == place ? "cat " : "on ";
    }
    text += R"({"question": "the mat", "context": ")" + context + R"(", "answers": [{"text": "cat", "answer_start": )" +
            std::to_string(start) + "}]}\n";
  }
  folder_.write("documents.jsonl", text);
  const auto result = run("documents", "-",
                          {"data.objective=question_answering", "data.format=records", "data.train=" + folder_.path() + "/documents.jsonl",
                           "data.context=24", "data.shared=4", "training.steps=120"});
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_GT(score(result->best_scores, "exact_match"), 0.9);
  EXPECT_EQ(testing::at(config_of(*result), {"architectures", "0"}).as_string(), "BertForQuestionAnswering");
}

TEST_F(TaskTest, the_right_one_of_several_answers_is_chosen) {
  std::string text;
  for (int i = 0; i < 120; ++i) {
    const int right = i % 3;
    text += R"({"text": "the )" + word(i) + R"(", "choices": [)";
    for (int k = 0; k < 3; ++k) text += std::string(k > 0 ? ", " : "") + "\"" + word(i + k) + (k == right ? " cat" : " mat") + "\"";
    text += R"(], "label": )" + std::to_string(right) + "}\n";
  }
  folder_.write("choices.jsonl", text);
  const auto result =
      run("choices", "-", {"data.objective=multiple_choice", "data.format=records", "data.train=" + folder_.path() + "/choices.jsonl"});
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_EQ(score(result->best_scores, "accuracy"), 1);
}

TEST_F(TaskTest, records_and_recipes_that_do_not_fit_are_named) {
  const auto error = [&](const std::string& name, const std::string& data, std::vector<std::string> overrides) {
    return run(name, data, std::move(overrides)).status().message();
  };
  EXPECT_EQ(error("same", "a\tx\nb\tx\n", of_sentences()), "data: all records have the same label; nothing can be learnt from them");
  folder_.write("other.tsv", "the cat\tplant\n");
  EXPECT_EQ(error("unknown", sentences(), of_sentences({"data.validation=" + folder_.path() + "/other.tsv", "data.validation_fraction=0"})),
            "data: validation: record 1: label \"plant\" does not occur in the training data: animal, thing");
  EXPECT_EQ(error("format", sentences(), {"data.objective=token_classification"}),
            "recipe: data.format: text holds no task; use records, table, conll or squad");
  EXPECT_EQ(error("ia3", sentences(), of_sentences({"adapter.kind=ia3"})), "recipe: adapter.kind: ia3 leaves a task's head out; use lora");
  EXPECT_EQ(error("freeze", sentences(), {"model.freeze_body=true"}),
            "recipe: model.freeze_body: only a task has a head that learns alone; leave it out");
}

TEST(Labels, AreOrderedAsNumbersWhereTheyAreNumbers) {
  const auto record = [](const char* label) { return Json::object().set("label", label); };
  const std::vector<std::string> numbers{"2", "10"}, names{"10", "2", "x"};
  EXPECT_EQ(labels_of(data::TaskKind::kText, {{record("10"), record("2"), record("10")}}).value(), numbers);
  EXPECT_EQ(labels_of(data::TaskKind::kText, {{record("10"), record("2"), record("x")}}).value(), names);
}

}  // namespace
}  // namespace atelier::train
