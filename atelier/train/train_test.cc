// The trainer's promises: a killed run ends in the same bits, a split batch has the same loss, and what goes wrong is said.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "atelier/format/checkpoint.h"
#include "atelier/io/file.h"
#include "atelier/models/adapter.h"
#include "atelier/models/model.h"
#include "atelier/parallel/parallel.h"
#include "atelier/train/average_checkpoints.h"
#include "atelier/train/event_file.h"
#include "atelier/train/loss_watch.h"
#include "atelier/train/recipe.h"
#include "atelier/train/sample.h"
#include "atelier/train/session.h"
#include "atelier/train/trainer.h"
#include "atelier/train/yaml.h"

namespace atelier::train {
namespace {

namespace fs = std::filesystem;

class TrainTest : public testing::Test {
 protected:
  // One thread: the model is tiny, and a forked child has no team.
  TrainTest() : num_threads_(num_threads()), folder_(fs::path(testing::TempDir()) / ("train_test_" + std::to_string(::getpid()))) {
    set_num_threads(1);
    fs::create_directories(folder_);
    std::ofstream text(folder_ / "text.txt");
    for (int i = 0; i < 120; ++i) text << "the quick brown fox number " << i << " jumps over the lazy dog\n";
  }
  ~TrainTest() override {
    set_num_threads(num_threads_);
    fs::remove_all(folder_);
  }

  Recipe recipe(const std::string& name, std::vector<std::string> overrides = {}) const {
    const std::string text = R"(
model:
  architecture: llama
  config: {hidden_size: 16, intermediate_size: 24, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1, max_position_embeddings: 16,
           rms_norm_eps: 1e-5, tie_word_embeddings: true}
  tokenizer: character
  precision: f32
  dropout: 0.1
data: {validation_fraction: 0.1, sampling: crops, context: 16}
optimizer: {learning_rate: 1e-2}
schedule: {shape: cosine, warmup_steps: 3}
training: {steps: 24, batch: 4, micro_batch: 2, average_decay: 0.9}
evaluation: {every: 6, rows: 4}
checkpoints: {every: 4}
samples: {every: 12, tokens: 3}
)";
    overrides.push_back("data.train=" + (folder_ / "text.txt").string());
    overrides.push_back("runs=" + folder_.string());
    overrides.push_back("name=" + name);
    auto parsed = parse_recipe(text, "test.yaml", overrides);
    EXPECT_TRUE(parsed.ok()) << parsed.status().message();
    return std::move(parsed).value();
  }

  // The bytes of a run's last checkpoint and its exported model.
  std::string outcome(const std::string& name) const {
    const std::string checkpoints = folder_ / name / "checkpoints";
    std::string latest = io::read_file(checkpoints + "/latest").value();
    latest.pop_back();
    return io::read_file(checkpoints + "/" + latest + "/model.safetensors").value() +
           io::read_file(checkpoints + "/" + latest + "/state.json").value() +
           io::read_file((folder_ / name / "model/model.safetensors").string()).value();
  }

  int num_threads_;
  fs::path folder_;
};

// A child process trains and says each step into a pipe; it is killed some steps later, at any moment of a step or a checkpoint. True when
// it ended by itself before that.
bool run_until_killed(const Recipe& recipe, int steps_to_live, int more_us) {
  int ends[2];
  if (::pipe(ends) != 0) return false;
  const pid_t child = ::fork();
  if (child == 0) {
    TrainHooks hooks;
    hooks.on_step = [&](const StepReport&) { return ::write(ends[1], "s", 1) == 1; };
    ::_exit(train(recipe, true, hooks).ok() ? 0 : 1);
  }
  ::close(ends[1]);
  char step = 0;
  for (int i = 0; i < steps_to_live && ::read(ends[0], &step, 1) == 1; ++i) {
  }
  ::usleep(static_cast<useconds_t>(more_us));
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(ends[0]);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_F(TrainTest, a_run_killed_at_random_ends_in_the_same_bits) {
  ASSERT_TRUE(train(recipe("straight"), false, {}).ok());
  std::mt19937 random(20261126);
  for (int kills = 0; kills < 10; ++kills) {
    if (run_until_killed(recipe("killed"), 1 + static_cast<int>(random() % 6), static_cast<int>(random() % 4000))) break;
  }
  ASSERT_TRUE(train(recipe("killed"), true, {}).ok());
  EXPECT_EQ(outcome("killed"), outcome("straight"));
  // Every step stands once in the log, with the same loss.
  const auto losses = [&](const char* name) {
    std::vector<std::string> lines;
    std::ifstream file(folder_ / name / "log.jsonl");
    for (std::string line; std::getline(file, line);) lines.push_back(line.substr(0, line.find("tokens_per_s")));
    return lines;
  };
  EXPECT_EQ(losses("killed"), losses("straight"));
}

TEST_F(TrainTest, stopping_saves_and_resuming_ends_in_the_same_bits) {
  ASSERT_TRUE(train(recipe("straight"), false, {}).ok());
  TrainHooks hooks;
  hooks.on_step = [](const StepReport& report) { return report.step != 7; };
  const auto stopped = train(recipe("stopped"), false, hooks);
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.status().code(), StatusCode::kCancelled);
  ASSERT_TRUE(train(recipe("stopped"), true, {}).ok());
  EXPECT_EQ(outcome("stopped"), outcome("straight"));
}

TEST_F(TrainTest, loss_falls_and_the_model_loads_with_its_tokenizer) {
  const auto result = train(recipe("learns", {"training.steps=60", "training.average_decay=0"}), false, {});
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_LT(*result->best_loss, 2.6);  // of about 30 characters, 3.4 at the start
  const auto model = models::load_model(result->model, {});
  ASSERT_TRUE(model.ok()) << model.status().message();
  const auto tokenizer = (*model)->tokenizer();
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  EXPECT_EQ((*tokenizer)->decode((*tokenizer)->encode_ids("the dog\n").value()).value(), "the dog\n");
  EXPECT_TRUE(io::is_file(result->folder + "/report.html"));
  EXPECT_NE(io::read_file(result->folder + "/report.html").value().find("<polyline"), std::string::npos);
}

// The gradient's norm and the loss of the first steps, from 8 rows at once and from 8 times one.
TEST_F(TrainTest, loss_does_not_depend_on_micro_batches) {
  const auto first_steps = [&](const std::string& name, const char* micro) {
    std::vector<StepReport> reports;
    TrainHooks hooks;
    hooks.on_step = [&](const StepReport& report) {
      reports.push_back(report);
      return true;
    };
    EXPECT_TRUE(train(recipe(name, {"training.steps=3", "training.batch=8", micro}), false, hooks).ok());
    return reports;
  };
  const auto whole = first_steps("whole", "training.micro_batch=0"), split = first_steps("split", "training.micro_batch=1");
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(split[i].loss, whole[i].loss, 1e-6 * whole[i].loss);
    EXPECT_NEAR(split[i].gradient_norm, whole[i].gradient_norm, 1e-5 * whole[i].gradient_norm);
  }
}

TEST_F(TrainTest, an_average_is_the_mean_of_the_last_checkpoints) {
  const auto result = train(recipe("kept", {"checkpoints.keep=6"}), false, {});
  ASSERT_TRUE(result.ok()) << result.status().message();
  const std::string target = (folder_ / "averaged").string();
  ASSERT_EQ(average_checkpoints(result->folder, 3, target).value(), 3);
  const auto averaged = models::load_model(target, {}).value();
  EXPECT_TRUE(averaged->tokenizer().ok());
  double sum = 0;
  for (const char* step : {"16", "20", "24"}) {
    const auto checkpoint = format::open_checkpoint(result->folder + "/checkpoints/step-0000000" + step).value();
    sum += static_cast<const float*>(checkpoint->get("weight/layers.1.mlp.down.weight").value()->data)[7];
  }
  EXPECT_NEAR(averaged->transformer().parameters().layers[1].mlp.down.weight.f32()[7], sum / 3, 1e-6);
  EXPECT_NE(average_checkpoints(result->folder, 3, target).status().message().find("averaged"), std::string::npos);  // exists
  EXPECT_EQ(average_checkpoints(folder_.string(), 3, target).status().code(), StatusCode::kNotFound);
}

TEST_F(TrainTest, patience_ends_a_run_that_does_not_improve) {
  const auto result =
      train(recipe("patient", {"optimizer.learning_rate=0", "evaluation.patience=2", "training.steps=200", "training.average_decay=0"}),
            false, {});
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_TRUE(result->stopped_early);
  EXPECT_EQ(result->step, 18);
}

TEST_F(TrainTest, a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_checkpoint) {
  const auto result = train(recipe("diverges", {"optimizer.learning_rate=100", "optimizer.weight_decay=10", "training.steps=400",
                                                "training.clip=0", "schedule.warmup_steps=12", "model.dropout=0"}),
                            false, {});
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.status().message().find("last good checkpoint"), std::string::npos) << result.status().message();
}

TEST_F(TrainTest, an_existing_run_is_not_overwritten_and_a_changed_recipe_not_resumed) {
  ASSERT_TRUE(train(recipe("twice", {"training.steps=2"}), false, {}).ok());
  EXPECT_NE(train(recipe("twice", {"training.steps=2"}), false, {}).status().message().find("--resume"), std::string::npos);
  EXPECT_NE(train(recipe("twice", {"training.steps=4", "optimizer.beta2=0.5"}), true, {}).status().message().find("optimizer.beta2"),
            std::string::npos);
  EXPECT_TRUE(train(recipe("twice", {"training.steps=4"}), true, {}).ok());
}

// Words, with an end token that tokenizer_config.json names.
constexpr const char* kWords = R"({"version":"1.0","truncation":null,"padding":null,
  "added_tokens":[{"id":0,"content":"<end>","special":true,"single_word":false,"lstrip":false,"rstrip":false,"normalized":false}],
  "normalizer":null,"pre_tokenizer":{"type":"WhitespaceSplit"},"post_processor":null,"decoder":null,
  "model":{"type":"WordLevel","unk_token":"?","vocab":{"<end>":0,"?":1,"red":2,"green":3,"blue":4,"one":5,"two":6,"three":7}}})";

constexpr const char* kPairs = R"({"prompt": "red", "completion": "one"}
{"prompt": "green", "completion": "two two"}
{"prompt": "blue", "completion": "three three three"}
)";

class PairsTest : public TrainTest {
 protected:
  PairsTest() {
    std::ofstream(folder_ / "tokenizer.json") << kWords;
    std::ofstream(folder_ / "tokenizer_config.json") << R"({"eos_token": "<end>"})";
    std::ofstream(folder_ / "pairs.jsonl") << kPairs;
  }

  Recipe pairs(const std::string& name, std::vector<std::string> overrides) const {
    const std::string path = (folder_ / "pairs.jsonl").string();
    for (const char* same :
         {"data.format=pairs", "data.validation_fraction=0", "training.average_decay=0", "samples.every=0", "model.dropout=0"})
      overrides.emplace_back(same);
    Recipe made = recipe(name, overrides);
    made.data.train = {{path, 1}};
    return made;
  }
  Recipe new_model(const std::string& name, int steps) const {
    return pairs(name, {"model.tokenizer=" + (folder_ / "tokenizer.json").string(), "training.steps=" + std::to_string(steps)});
  }
};

TEST_F(PairsTest, a_tuned_model_answers_and_stops) {
  const auto result = train(new_model("answers", 80), false, {});
  ASSERT_TRUE(result.ok()) << result.status().message();
  const auto model = models::load_model(result->model, {}).value();
  const tokenize::Tokenizer& tokenizer = **model->tokenizer();
  nn::Transformer transformer(model->spec(), model->transformer().parameters(), 16);
  for (const auto& [prompt, answer] : {std::pair{"red", "one"}, {"green", "two two"}, {"blue", "three three three"}}) {
    const auto text = sample_text(transformer, tokenizer,
                                  {.prompt = tokenizer.encode_ids(prompt).value(),
                                   .num_tokens = 10,
                                   .context = 16,
                                   .stop_ids = model->defaults().stop_ids,
                                   .temperature = 0});
    ASSERT_TRUE(text.ok()) << text.status().message();
    EXPECT_EQ(*text, answer);
  }
}

TEST_F(PairsTest, held_out_questions_are_answered_before_and_after) {
  const auto base = train(new_model("untrained", 1), false, {});
  ASSERT_TRUE(base.ok()) << base.status().message();
  Recipe tuning = pairs("tuned", {"model.tokenizer=''", "model.from=" + base->model, "training.steps=80", "samples.answers=2"});
  tuning.data.validation = tuning.data.train;
  const auto result = train(tuning, false, {});
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_LT(*result->best_loss, *result->start_loss);
  ASSERT_EQ(result->answers.size(), 2);
  EXPECT_EQ(result->answers[1].question, "green");
  EXPECT_EQ(result->answers[1].expected, "two two");
  EXPECT_NE(result->answers[1].before, "two two");
  EXPECT_EQ(result->answers[1].after, "two two");
  const std::string report = io::read_file(result->folder + "/report.html").value();
  EXPECT_NE(report.find("<th>before</th>"), std::string::npos);
}

TEST_F(PairsTest, added_tokens_get_rows_that_learn_and_are_saved) {
  const auto base = train(new_model("known", 2), false, {});
  ASSERT_TRUE(base.ok()) << base.status().message();
  std::ofstream(folder_ / "pairs.jsonl") << R"({"prompt": "red <call>", "completion": "one"})"
                                         << "\n";
  const auto grown = [&](const std::string& name, const char* rate) {
    return train(
        pairs(name, {"model.tokenizer=''", "model.from=" + base->model, "model.add_tokens=[<call>, one]", "training.steps=4", rate}), false,
        {});
  };
  const auto still = grown("still", "optimizer.learning_rate=0"), moved = grown("moved", "optimizer.learning_rate=0.01");
  ASSERT_TRUE(still.ok()) << still.status().message();
  ASSERT_TRUE(moved.ok()) << moved.status().message();
  const auto model = models::load_model(moved->model, {}).value(), start = models::load_model(still->model, {}).value();
  EXPECT_EQ(model->spec().vocab_size, 9);  // `one` was a token before
  const tokenize::Tokenizer& tokenizer = **model->tokenizer();
  EXPECT_EQ(tokenizer.encode_ids("red <call> one").value(), (std::vector<int32_t>{2, 8, 5}));
  const auto column = [](const models::Model& of, int64_t row) { return of.transformer().parameters().embedding.f32()[row * 16 + 3]; };
  double mean = 0;
  for (int64_t row = 0; row < 8; ++row) mean += column(*start, row) / 8;
  EXPECT_NEAR(column(*start, 8), mean, 1e-6);
  EXPECT_GT(std::abs(column(*model, 8) - mean), 1e-3);
}

// A token costs one row, and what it is does not change by that.
TEST_F(TrainTest, samples_are_those_of_the_whole_window) {
  const auto result = train(recipe("samples", {"training.steps=12"}), false, {});
  ASSERT_TRUE(result.ok()) << result.status().message();
  const auto model = models::load_model(result->model, {.precision = Precision::kF32}).value();
  const tokenize::Tokenizer& tokenizer = **model->tokenizer();
  nn::Transformer transformer(model->spec(), model->transformer().parameters(), 16);
  std::vector<int32_t> ids = tokenizer.encode_ids("the ").value();
  const std::string text = sample_text(transformer, tokenizer, {.prompt = ids, .num_tokens = 12, .context = 16, .temperature = 0}).value();
  const size_t num_prompt = ids.size();
  for (int i = 0; i < 12; ++i) {
    nn::KvCache cache = model->new_cache(16).value();
    const std::span<const float> logits = model->forward(ids, cache).value();
    ids.push_back(static_cast<int32_t>(std::ranges::max_element(logits) - logits.begin()));
  }
  EXPECT_EQ(text, tokenizer.decode(std::span(ids).subspan(num_prompt)).value());
  const auto longer = sample_text(transformer, tokenizer, {.prompt = ids, .num_tokens = 40, .context = 16, .temperature = 0});
  EXPECT_GE(longer.value().size(), 40u);  // beyond the context
}

TEST_F(TrainTest, low_rank_training_leaves_an_adapter_and_a_merged_model) {
  const auto base = train(recipe("base", {"training.steps=4", "model.dropout=0"}), false, {});
  ASSERT_TRUE(base.ok()) << base.status().message();
  Recipe low_rank =
      recipe("low-rank", {"lora.rank=2", "training.steps=6", "model.dropout=0", "model.tokenizer=''", "model.from=" + base->model});
  const auto result = train(low_rank, false, {});
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_TRUE(io::is_file(result->folder + "/adapter/adapter_config.json"));
  EXPECT_TRUE(models::load_model(result->model, {}).ok());
}

TEST_F(TrainTest, a_full_disk_loses_nothing) {
  ASSERT_TRUE(train(recipe("straight"), false, {}).ok());
  const pid_t child = ::fork();
  if (child == 0) {
    TrainHooks hooks;
    hooks.on_step = [](const StepReport& report) {
      const rlimit none{1, 1};
      if (report.step == 6) ::setrlimit(RLIMIT_FSIZE, &none);  // from now on every write fails
      return true;
    };
    std::signal(SIGXFSZ, SIG_IGN);
    const auto result = train(recipe("full"), false, hooks);
    ::_exit(result.status().code() == StatusCode::kIo ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  ASSERT_TRUE(train(recipe("full"), true, {}).ok());
  EXPECT_EQ(outcome("full"), outcome("straight"));
}

TEST_F(TrainTest, one_process_at_a_time_writes_a_run) {
  TrainHooks hooks;
  hooks.on_step = [&](const StepReport& report) {
    if (report.step == 1) {
      EXPECT_NE(train(recipe("locked", {"training.steps=2"}), true, {}).status().message().find("in use"), std::string::npos);
    }
    return true;
  };
  EXPECT_TRUE(train(recipe("locked", {"training.steps=2"}), false, hooks).ok());
}

std::string error_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return parse_recipe(text, "r.yaml", overrides).status().message();
}

// A tokenizer of words with BERT's special tokens.
constexpr const char* kWordTokenizer = R"({"version": "1.0", "added_tokens": [
 {"id": 0, "content": "[PAD]", "special": true}, {"id": 1, "content": "[UNK]", "special": true}, {"id": 2, "content": "[CLS]", "special": true},
 {"id": 3, "content": "[SEP]", "special": true}, {"id": 4, "content": "[MASK]", "special": true}],
 "normalizer": null, "pre_tokenizer": {"type": "Whitespace"}, "decoder": null,
 "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
 "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "the": 5,
 "quick": 6, "brown": 7, "fox": 8, "number": 9, "jumps": 10, "over": 11, "lazy": 12, "dog": 13}}})";

TEST_F(TrainTest, an_encoder_learns_what_masks_hide_and_its_folder_is_one_of_transformers) {
  std::ofstream(folder_ / "tokenizer.json") << kWordTokenizer;
  const std::vector<std::string> changes = {
      "model.architecture=bert",
      "model.config={hidden_size: 16, intermediate_size: 24, num_hidden_layers: 1, num_attention_heads: 2, max_position_embeddings: 16}",
      "model.tokenizer=" + (folder_ / "tokenizer.json").string(),
      "model.dropout=0",
      "data.objective=masked_lm",
      "training.steps=150",
      "training.average_decay=0",
      "samples.every=0"};
  const Recipe masked = recipe("masked", changes);
  const Result<TrainResult> result = train(masked, false, {});
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_LT(*result->best_loss, 2.35);  // log(14) = 2.64 at the start; 2.318 with this seed, 2.16 to 2.32 with five
  const auto model = models::load_model(result->model, {.precision = Precision::kF32});
  ASSERT_TRUE(model.ok()) << model.status().message();
  EXPECT_TRUE((*model)->spec().has_language_head);
  EXPECT_NE(io::read_file(result->model + "/config.json").value().find("BertForMaskedLM"), std::string::npos);

  std::vector<std::string> causal = changes;
  causal.push_back("data.objective=causal_lm");
  EXPECT_EQ(train(recipe("causal", causal), false, {}).status().message(),
            "recipe: data.objective: causal_lm does not fit bert; use masked_lm");
  EXPECT_FALSE(train(recipe("decoder", {"data.objective=masked_lm", "samples.every=0"}), false, {}).ok());
}

TEST(Recipe, wrong_keys_and_values_are_named_with_the_nearest) {
  const std::string good = "model: {from: x}\ndata: {train: a.txt}\n";
  EXPECT_EQ(error_of(good), "");
  EXPECT_NE(error_of(good + "trainning: {steps: 3}\n").find("trainning"), std::string::npos);
  EXPECT_NE(error_of(good + "optimizer: {lerning_rate: 3}\n").find("did you mean optimizer.learning_rate"), std::string::npos);
  EXPECT_NE(error_of(good + "optimizer: {name: adam}\n").find("did you mean adamw"), std::string::npos);
  EXPECT_NE(error_of(good + "training: {steps: many}\n").find("an integer"), std::string::npos);
  EXPECT_NE(error_of(good + "training: {steps: 0}\n").find("training.steps"), std::string::npos);
  EXPECT_NE(error_of(good, {"training.stepz=4"}).find("did you mean training.steps"), std::string::npos);
  for (const char* adapter : {"lora.rank=2", "adapter.kind=ia3"}) {
    EXPECT_NE(error_of(good, {"model.add_tokens=[a]", adapter}).find("model.add_tokens"), std::string::npos) << adapter;
  }
  EXPECT_NE(error_of(good, {"model.frozen_type=NF4", "lora.rank=2"}).find("did you mean nf4"), std::string::npos);
  EXPECT_NE(error_of(good, {"model.frozen_type=nf4"}).find("no weights of a checkpoint are frozen"), std::string::npos);
  EXPECT_EQ(error_of(good, {"model.frozen_type=nf4", "lora.rank=2"}), "");
  EXPECT_NE(error_of("model: {from: x}\n").find("data.train"), std::string::npos);
  EXPECT_NE(error_of("model: [\n").find("line"), std::string::npos);
  EXPECT_NE(error_of(good + "schedule: {warmup_steps: 3, warmup_ratio: 0.1}\n").find("keep one"), std::string::npos);
}

TEST(Recipe, written_configuration_reads_back_the_same) {
  const auto recipe =
      parse_recipe("model: {from: x, config: {a: 1}}\ndata:\n  train: [a.txt, {path: b.txt, weight: 2.5}]\n", "dir/night.yaml",
                   {"optimizer.learning_rate=3e-4", "model.config.n_layer=2", "samples.prompt='a: b'", "lora.targets=[q, v]", "runs=nan"})
          .value();
  EXPECT_EQ(recipe.name, "night");
  EXPECT_EQ(recipe.runs, "nan");  // a word, no number
  EXPECT_EQ(recipe.model.config, Json::object().set("a", 1).set("n_layer", 2));
  EXPECT_EQ(recipe.data.train[1].weight, 2.5);
  const Json json = recipe_json(recipe);
  EXPECT_EQ(recipe_json(parse_recipe(to_yaml(json), "config.yaml", {}).value()), json);
  EXPECT_NE(to_yaml(json).find("epsilon: 1.0e-08"), std::string::npos);  // which YAML 1.1 reads as a number
}

TEST(Recipe, warm_up_is_given_in_steps_parts_or_tokens) {
  const std::string good = "model: {from: x}\ndata: {train: a.txt, context: 100}\ntraining: {steps: 500, batch: 3}\n";
  const auto steps = [&](const std::string& schedule) {
    return resolved_schedule(parse_recipe(good + "schedule: {" + schedule + "}\n", "r.yaml", {}).value()).warmup_steps;
  };
  EXPECT_EQ(steps("warmup_steps: 7"), 7);
  EXPECT_EQ(steps("warmup_ratio: 0.1"), 50);
  EXPECT_EQ(steps("warmup_tokens: 601"), 3);  // of 300 a step
}

TEST_F(TrainTest, a_run_that_cannot_begin_leaves_its_name_free) {
  EXPECT_FALSE(train(recipe("late", {"adapter.kind=bitfit"}), false, {}).ok()) << "a model without biases";
  EXPECT_FALSE(fs::exists(folder_ / "late"));
  std::ofstream(folder_ / "mute.jsonl") << R"({"messages": [{"role": "user", "content": "hi"}]})"
                                        << "\n";
  Recipe mute = recipe("late", {"model.from=" ATELIER_SOURCE_DIR "/tests/golden/models/smollm2", "model.architecture=", "model.config={}",
                                "model.tokenizer=", "data.format=chat", "data.validation_fraction=0", "samples.every=0"});
  mute.data.train[0].path = folder_ / "mute.jsonl";
  EXPECT_NE(train(mute, false, {}).status().message().find("are ignored"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder_ / "late")) << "data without answers";
  fs::create_directories(folder_ / "late");
  std::ofstream(folder_ / "late/notes.txt") << "mine";
  EXPECT_FALSE(train(recipe("late", {"adapter.kind=bitfit"}), false, {}).ok());
  EXPECT_TRUE(fs::exists(folder_ / "late/notes.txt"));
  const auto begun = train(recipe("late", {"training.steps=1", "samples.every=0"}), false, {});
  EXPECT_TRUE(begun.ok()) << begun.status().message();
}

// A model that was trained here, with rows of 64 for blocks of NF4.
constexpr const char* kWide =
    "model.config={hidden_size: 64, intermediate_size: 128, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1, "
    "max_position_embeddings: 16, rms_norm_eps: 1e-5, tie_word_embeddings: true}";

TEST_F(TrainTest, low_rank_additions_learn_over_weights_that_are_packed_as_they_are_read) {
  ASSERT_TRUE(train(recipe("base", {kWide, "model.dropout=0", "samples.every=0"}), false, {}).ok());
  const std::string base = folder_ / "base/model";
  const auto tuned =
      train(recipe("tuned", {"model.from=" + base, "model.architecture=", "model.config={}", "model.tokenizer=", "lora.rank=4",
                             "model.frozen_type=nf4", "model.dropout=0", "optimizer.learning_rate=3e-2"}),
            false, {});
  ASSERT_TRUE(tuned.ok()) << tuned.status().message();
  EXPECT_LT(*tuned->best_loss, *tuned->start_loss);
  // What is saved has the additions on the packed weights.
  const auto merged = format::open_checkpoint(tuned->model).value(), start = format::open_checkpoint(base).value();
  const auto* norm = merged->find("model.layers.0.input_layernorm.weight");
  EXPECT_EQ(std::memcmp(norm->data, start->find(norm->name)->data, norm->bytes), 0);
  EXPECT_EQ(merged->find("model.layers.0.mlp.up_proj.weight")->dtype, DType::kF32);
  const auto model = models::load_model(base, {}).value();
  const auto adapter = models::load_adapter(*model, tuned->folder);
  EXPECT_TRUE(adapter.ok()) << adapter.status().message();
}

TEST_F(TrainTest, biases_that_were_trained_run_beside_the_model_as_in_it) {
  const std::string base = ATELIER_SOURCE_DIR "/tests/golden/models/gpt2";
  const auto result = train(recipe("biases", {"model.from=" + base, "model.architecture=", "model.config={}", "adapter.kind=bitfit",
                                              "optimizer.learning_rate=0.1", "model.dropout=0"}),
                            false, {});
  ASSERT_TRUE(result.ok()) << result.status().message();
  const auto whole = models::load_model(result->model, {.precision = Precision::kF32}).value();
  const auto model = models::load_model(base, {.precision = Precision::kF32}).value();
  const auto adapter = models::load_adapter(*model, result->folder);
  ASSERT_TRUE(adapter.ok()) << adapter.status().message();
  const std::vector<int32_t> ids = {1, 7, 3, 9, 4, 2, 8};
  const std::vector<int64_t> rows = {0, 6};
  const nn::AppliedAdapter applied{adapter->get()};
  const auto logits_of = [&](models::Model& tested, std::span<const nn::AppliedAdapter> adapters) {
    nn::KvCache cache = tested.new_cache().value();
    const nn::RowRun run{.cache = &cache, .num_rows = 7, .adapters = adapters};
    const auto logits = tested.forward_batch(ids, std::span(&run, 1), rows).value();
    return std::vector<float>(logits.begin(), logits.end());
  };
  const std::vector<float> beside = logits_of(*model, std::span(&applied, 1)), inside = logits_of(*whole, {}),
                           plain = logits_of(*model, {});
  double moved = 0;
  for (size_t i = 0; i < inside.size(); ++i) {
    ASSERT_NEAR(beside[i], inside[i], 1e-4) << i;
    moved = std::max(moved, std::abs(static_cast<double>(inside[i]) - plain[i]));
  }
  EXPECT_GT(moved, 0.01);
}

TEST(Recipe, those_of_the_project_are_valid) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(ATELIER_SOURCE_DIR "/recipes")) {
    const auto recipe = read_recipe(entry.path(), {});
    EXPECT_TRUE(recipe.ok()) << entry.path() << ": " << recipe.status().message();
    ++count;
  }
  EXPECT_GE(count, 1);
}

TEST(Recipe, the_guide_lists_every_key) {
  const std::string guide = io::read_file(ATELIER_SOURCE_DIR "/docs/guide/train.md").value();
  for (const FieldHelp& field : recipe_fields()) {
    EXPECT_NE(guide.find("| `" + field.key + "` | " + field.fallback + " | " + field.help + " |"), std::string::npos)
        << "| `" << field.key << "` | " << field.fallback << " | " << field.help << " |";
  }
}

TEST(EventFile, checksum_is_castagnolis) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
}

TEST(EventFile, record_is_framed_as_tensorboard_reads_it) {
  const std::pair<std::string, double> scalar{"loss", 1.5};
  const std::string record = scalar_record(2.0, 300, {&scalar, 1});
  uint64_t length = 0;
  std::memcpy(&length, record.data(), 8);
  ASSERT_EQ(record.size(), 8 + 4 + length + 4);
  const std::string event = record.substr(12, length);
  const std::string want = std::string("\x09\x00\x00\x00\x00\x00\x00\x00\x40", 9) + "\x10\xac\x02" + "\x2a\x0d\x0a\x0b\x0a\x04loss\x15" +
                           std::string("\x00\x00\xc0\x3f", 4);
  EXPECT_EQ(event, want);
}

TEST(LossWatch, tells_a_spike_from_noise) {
  LossWatch watch(6);
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) EXPECT_FALSE(watch.check(2 + 0.1 * static_cast<double>(random() % 100) / 100, 1).has_value());
  EXPECT_TRUE(watch.check(4, 1).has_value());
  EXPECT_TRUE(watch.check(NAN, 1).has_value());
  EXPECT_TRUE(watch.check(2, INFINITY).has_value());
  EXPECT_FALSE(LossWatch(0).check(1e9, 1).has_value());
}

}  // namespace
}  // namespace atelier::train
