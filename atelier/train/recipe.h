// A recipe: everything that decides a training run, as a YAML file says it.
//
// The fields are listed once, in recipe.cc, with their limits and a sentence each; reading, checking, --set, config.yaml and the guide's
// table follow from that list. A wrong key or value is an error that names it and the nearest right one.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/data/objective.h"
#include "atelier/models/trainable.h"
#include "atelier/optim/optimizer.h"
#include "atelier/optim/schedule.h"

namespace atelier::train {

struct DataFile {
  std::string path;
  double weight = 1;
};

struct Recipe {
  std::string name;           // of the run; "": the recipe file's
  std::string runs = "runs";  // folder of runs
  int64_t seed = 1;

  struct {
    std::string from;          // checkpoint to start from; "": new weights of `architecture` and `config`
    std::string architecture;  // a name of `atelier list architectures`
    Json config = Json::object();
    std::vector<std::string> add_tokens;
    std::string tokenizer;  // "": that of `from`; a kind that learns from the training data ("character"), or a tokenizer.json or model
    std::string precision = "auto";
    std::string frozen_type;  // of the blocks' matrices beside an adapter; "": as `from` has them
    double dropout = 0;
    bool has_checkpoints = false;
    bool is_body_frozen = false;
  } model;
  models::LoraOptions lora;
  models::AdapterOptions adapter;
  std::string adapter_kind;  // as it is spelled; "": LoRA if its rank says so
  Json rank_pattern = Json::object(), alpha_pattern = Json::object();

  struct {
    std::string format = "text";
    std::string objective = "causal_lm";
    std::string problem = "one_label";
    std::vector<std::string> columns;
    std::vector<DataFile> train, validation, test;
    double validation_fraction = 0;
    std::string sampling = "blocks";
    bool is_packed = true;
    int64_t context = 256;
    int64_t shared = 128;  // tokens of neighbouring windows
  } data;

  std::string optimizer = "adamw";
  optim::OptimizerOptions optimizer_options;
  std::string epsilon_kind = "pytorch";
  optim::ScheduleOptions schedule;
  double warmup_ratio = 0;
  int64_t warmup_tokens = 0;

  struct {
    int64_t steps = 1000;
    int64_t batch = 8;        // rows of a step
    int64_t micro_batch = 0;  // rows computed at once; 0: all
    double clip = 1;
    double average_decay = 0;  // of the exponential average of weights; 0: none
    double spike_deviations = 12;
  } training;
  struct {
    int64_t every = 100;
    int64_t rows = 0;
    int64_t patience = 0;
  } evaluation;
  struct {
    int64_t every = 500;
    int64_t keep = 2;
  } checkpoints;
  struct {
    int64_t every = 0;
    std::string prompt = "\n";
    int64_t tokens = 100;
    double temperature = 0.8;
    int64_t answers = 0;
  } samples;
};

// Reads `path` with overrides "key=value" applied. Defaults fill what is not given; `name` becomes the file's stem.
// InvalidArgument for a key or value that does not fit, Corrupt for text that is no YAML.
Result<Recipe> read_recipe(const std::string& path, const std::vector<std::string>& overrides);
Result<Recipe> parse_recipe(const std::string& text, const std::string& name, const std::vector<std::string>& overrides);

// Whether additions are trained instead of the weights.
bool has_adapter(const Recipe& recipe);
// What the recipe's records teach a head, if they do.
data::TaskKind task_of(const Recipe& recipe);

// All fields, defaults too, as config.yaml holds them.
Json recipe_json(const Recipe& recipe);

// key, default and meaning of every field, for documentation.
struct FieldHelp {
  std::string key, fallback, help;
};
std::vector<FieldHelp> recipe_fields();

}  // namespace atelier::train
