#include "atelier/train/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "atelier/base/strings.h"
#include "atelier/data/objective.h"
#include "atelier/io/file.h"
#include "atelier/models/arch.h"
#include "atelier/quant/quant.h"
#include "atelier/tokenize/trainer.h"
#include "atelier/train/yaml.h"

namespace atelier::train {
namespace {

using Names = std::vector<std::string>;
using Files = std::vector<DataFile>;
using Integers = std::vector<int64_t>;

struct Field {
  std::string key;
  std::variant<int64_t*, double*, bool*, std::string*, Names*, Json*, Files*, Integers*> target;
  std::string help;
  double low = 0, high = 1e15;  // of numbers
  Names choices = {};           // of strings; empty: any
};

template <class Table>
Names names_of(const Table& table) {
  Names names;
  for (const auto* def : table) names.emplace_back(def->name);
  return names;
}

// Block types that matrices can be packed in, as recipes spell them, or none.
Names frozen_types() {
  Names names = {""};
  for (const quant::BlockFormat* format : quant::block_formats()) {
    if (format->pack != nullptr) names.push_back(to_lower_ascii(dtype_name(format->dtype)));
  }
  return names;
}

// The one list of fields.
std::vector<Field> fields(Recipe& r) {
  auto& o = r.optimizer_options;
  auto& s = r.schedule;
  Names architectures = names_of(models::architectures());
  architectures.emplace_back();
  return {
      {"name", &r.name, "of the run's folder (default: the recipe file's name)"},
      {"runs", &r.runs, "the folder of runs"},
      {"seed", &r.seed, "of new weights, of the order of data, of dropout and of samples"},
      {"model.from", &r.model.from, "a .gguf file, a Hugging Face folder or a name in the store to start from; without it weights are new"},
      {"model.architecture", &r.model.architecture, "of new weights: a name of `atelier list architectures`", 0, 0, architectures},
      {"model.config", &r.model.config,
       "of new weights: sizes, as that architecture's config.json spells them; vocab_size is the tokenizer's"},
      {"model.tokenizer", &r.model.tokenizer,
       "`character` or `byte` are learnt from the training text; else a tokenizer.json, a model, or (default) model.from's"},
      {"model.add_tokens", &r.model.add_tokens, "words that become tokens of their own; their embeddings start as the mean of the others"},
      {"model.precision",
       &r.model.precision,
       "auto: bfloat16 products with float32 weights where the CPU has them",
       0,
       0,
       {"auto", "f32", "bf16"}},
      {"model.frozen_type", &r.model.frozen_type,
       "nf4 or another block type: what float matrices of the blocks become where an adapter leaves them alone (QLoRA)", 0, 0,
       frozen_types()},
      {"model.dropout", &r.model.dropout, "of embeddings and of what each sublayer adds", 0, 0.99},
      {"model.activation_checkpoints", &r.model.has_checkpoints, "keep each block's input only and compute the block twice: less memory"},
      {"model.freeze_body", &r.model.is_body_frozen, "train a task's head alone, on the features of the model as it is"},
      {"adapter.kind",
       &r.adapter_kind,
       "what is trained instead of the weights; empty: lora if lora.rank is above 0, else the weights",
       0,
       0,
       {"", "lora", "ia3", "prompt", "prefix", "bottleneck", "bitfit"}},
      {"adapter.tokens", &r.adapter.num_virtual, "virtual tokens of prompt and prefix", 1, 65536},
      {"adapter.width", &r.adapter.width, "of bottlenecks", 1, 65536},
      {"adapter.activation", &r.adapter.activation, "of bottlenecks", 0, 0, {"relu", "swish", "gelu"}},
      {"adapter.double", &r.adapter.is_double, "bottlenecks behind attention and MLP (Houlsby); false: behind the MLP alone (Pfeiffer)"},
      {"lora.rank", &r.lora.rank, "of the additions to linear layers; 0: no lora", 0, 4096},
      {"lora.alpha", &r.lora.alpha, "additions are scaled by alpha / rank"},
      {"lora.rank_stabilized", &r.lora.is_rank_stabilized, "scale by alpha / sqrt(rank)"},
      {"lora.dora", &r.lora.has_magnitudes, "learn the lengths of the weights' rows too (DoRA)"},
      {"lora.dropout", &r.lora.dropout, "of what additions read", 0, 0.99},
      {"lora.targets", &r.lora.targets,
       "q, k, v, o, gate, up, down, embedding, names as checkpoints have them, or one regular expression; empty: all linear layers"},
      {"lora.layers", &r.lora.layers, "numbers of the blocks with additions; empty: all"},
      {"lora.rank_pattern", &r.rank_pattern, "ranks of single modules: {\"down_proj\": 4}, also regular expressions"},
      {"lora.alpha_pattern", &r.alpha_pattern, "alphas of single modules"},
      {"lora.whole_modules", &r.lora.whole_modules, "embedding and head, which are trained whole (PEFT's modules_to_save)"},
      {"data.format",
       &r.data.format,
       "of the files' records",
       0,
       0,
       {"text", "chat", "instruction", "pairs", "records", "table", "conll", "squad"}},
      {"data.objective", &r.data.objective, "what running text teaches, or a task's records: a name of `atelier list objectives`", 0, 0,
       names_of(data::objectives())},
      {"data.problem", &r.data.problem, "sequence_classification: what a label is", 0, 0, {"one_label", "many_labels", "regression"}},
      {"data.columns", &r.data.columns,
       "table: names of the columns (text, text_pair, label; \"\" leaves one out); empty: the first line has them"},
      {"data.train", &r.data.train, "files: a path, or a list of paths or of {path, weight}"},
      {"data.validation", &r.data.validation, "files that are not trained on"},
      {"data.test", &r.data.test, "of a task: files that the best model of the validation data is scored on, and nothing is chosen by"},
      {"data.validation_fraction", &r.data.validation_fraction, "of the end of each training file, kept for validation", 0, 0.9},
      {"data.sampling",
       &r.data.sampling,
       "of text: crops from random places, or blocks, all of them each epoch",
       0,
       0,
       {"crops", "blocks"}},
      {"data.packing", &r.data.is_packed, "of other formats: several examples in a row, which do not see each other"},
      {"data.context", &r.data.context, "tokens of a row", 2, 1 << 20},
      {"data.shared", &r.data.shared, "question_answering: tokens that two windows of a long document have in common", 0, 1 << 20},
      {"optimizer.name", &r.optimizer, "a name of `atelier list optimizers`", 0, 0, names_of(optim::optimizers())},
      {"optimizer.learning_rate", &s.learning_rate, "the highest of the schedule", 0, 100},
      {"optimizer.beta1", &o.beta1, "of the first moment", 0, 0.99999},
      {"optimizer.beta2", &o.beta2, "of the second moment", 0, 0.9999999},
      {"optimizer.epsilon", &o.epsilon, "in the denominator", 0, 1},
      {"optimizer.epsilon_kind", &r.epsilon_kind, "where epsilon is added", 0, 0, {"pytorch", "tensorflow"}},
      {"optimizer.weight_decay", &o.weight_decay, "of matrices and tables, not of biases and norms", 0, 10},
      {"optimizer.bias_correction", &o.has_bias_correction, "adamw: false as BERT's"},
      {"optimizer.momentum", &o.momentum, "sgd", 0, 0.99999},
      {"optimizer.nesterov", &o.is_nesterov, "sgd"},
      {"optimizer.smoothing", &o.smoothing, "rmsprop: alpha", 0, 0.99999},
      {"optimizer.scales_by_parameter", &o.scales_by_parameter, "adafactor: learning rates relative to the weights' size"},
      {"schedule.shape", &s.shape, "behind the warm-up", 0, 0, Names(optim::schedule_shapes().begin(), optim::schedule_shapes().end())},
      {"schedule.min_learning_rate", &s.min_learning_rate, "where decay ends", 0, 100},
      {"schedule.warmup_steps", &s.warmup_steps, "steps of rising learning rate"},
      {"schedule.warmup_ratio", &r.warmup_ratio, "the same as a part of all steps", 0, 1},
      {"schedule.warmup_tokens", &r.warmup_tokens, "the same as tokens"},
      {"schedule.decay_steps", &s.decay_steps, "where decay ends (wsd: how long it is); 0: all steps (wsd: a fifth)"},
      {"schedule.width", &s.width, "noam: the model's", 1, 1 << 20},
      {"training.steps", &r.training.steps, "of the optimizer", 1},
      {"training.batch", &r.training.batch, "rows of a step", 1, 1 << 20},
      {"training.micro_batch", &r.training.micro_batch, "rows computed at once; the sum is the same; 0: all", 0, 1 << 20},
      {"training.clip", &r.training.clip, "largest norm of all gradients together; 0: none"},
      {"training.average_decay", &r.training.average_decay,
       "of an exponential average of the weights, which is evaluated and saved; 0: none", 0, 0.999999},
      {"training.spike_deviations", &r.training.spike_deviations, "a loss this many deviations above the last 128 stops the run; 0: never"},
      {"evaluation.every", &r.evaluation.every, "steps between losses of the validation data"},
      {"evaluation.rows", &r.evaluation.rows, "of the validation data; 0: all"},
      {"evaluation.patience", &r.evaluation.patience, "evaluations without a better loss before the run stops; 0: it does not"},
      {"checkpoints.every", &r.checkpoints.every, "steps between checkpoints; 0: only the last"},
      {"checkpoints.keep", &r.checkpoints.keep, "latest checkpoints that are kept", 1, 10000},
      {"samples.every", &r.samples.every, "steps between samples; 0: none"},
      {"samples.prompt", &r.samples.prompt, "what a sample goes on from"},
      {"samples.tokens", &r.samples.tokens, "of a sample", 1, 100000},
      {"samples.temperature", &r.samples.temperature, "0: the likeliest token", 0, 100},
      {"samples.answers", &r.samples.answers, "held-out dialogues that are answered before and after training, for the report", 0, 1000},
  };
}

Status misfit(const Field& field, const Json& value, const std::string& want) {
  return Status::invalid(fmt::format("recipe: {}: is {}, must be {}; it is: {}", field.key, value.dump(), want, field.help));
}

Status set_number(const Field& field, const Json& value, bool is_integer) {
  const std::string want = fmt::format("{} of {} to {}", is_integer ? "an integer" : "a number", field.low, field.high);
  if (!value.is_number() || (is_integer && !value.is_int())) return misfit(field, value, want);
  if (value.as_double() < field.low || value.as_double() > field.high) return misfit(field, value, want);
  if (is_integer) {
    *std::get<int64_t*>(field.target) = value.as_int();
  } else {
    *std::get<double*>(field.target) = value.as_double();
  }
  return {};
}

// What a scalar says as text: "name: 2024" means the word.
std::string word_of(const Json& value) { return value.is_string() ? value.as_string() : value.is_null() ? "" : value.dump(); }

Status set_word(const Field& field, const Json& value) {
  if (value.is_array() || value.is_object()) return misfit(field, value, "a word");
  const std::string word = word_of(value);
  if (!field.choices.empty() && std::find(field.choices.begin(), field.choices.end(), word) == field.choices.end()) {
    const std::string nearest = nearest_name(word, field.choices);
    return misfit(field, value, "one of " + join(field.choices, ", ") + (nearest.empty() ? "" : " (did you mean " + nearest + "?)"));
  }
  *std::get<std::string*>(field.target) = word;
  return {};
}

Status set_names(const Field& field, const Json& value) {
  Names names;
  const Json list = value.is_array() ? value : Json(Json::Array{value});
  for (const Json& name : list.as_array()) {
    if (!name.is_string()) return misfit(field, value, "a list of words");
    names.push_back(name.as_string());
  }
  *std::get<Names*>(field.target) = std::move(names);
  return {};
}

Status set_integers(const Field& field, const Json& value) {
  Integers numbers;
  const Json list = value.is_array() ? value : Json(Json::Array{value});
  for (const Json& number : list.as_array()) {
    if (!number.is_int()) return misfit(field, value, "a list of integers");
    numbers.push_back(number.as_int());
  }
  *std::get<Integers*>(field.target) = std::move(numbers);
  return {};
}

Status set_files(const Field& field, const Json& value) {
  Files files;
  const Json list = value.is_array() ? value : Json(Json::Array{value});
  for (const Json& entry : list.as_array()) {
    DataFile file;
    const Json* path = entry.is_object() ? entry.find("path") : &entry;
    if (!path || !path->is_string()) return misfit(field, value, "a path, or a list of paths or of {path, weight}");
    file.path = path->as_string();
    if (entry.is_object()) {
      for (const auto& [key, member] : entry.as_object()) {
        if (key != "path" && key != "weight") return misfit(field, value, "a list of {path, weight}, without " + quoted(key));
      }
      ATELIER_TRY(file.weight, entry.get_double("weight", 1));
      if (!(file.weight > 0)) return misfit(field, value, "files with weights above 0");
    }
    files.push_back(std::move(file));
  }
  *std::get<Files*>(field.target) = std::move(files);
  return {};
}

Status set_field(const Field& field, const Json& value) {
  if (std::holds_alternative<int64_t*>(field.target)) return set_number(field, value, true);
  if (std::holds_alternative<double*>(field.target)) return set_number(field, value, false);
  if (std::holds_alternative<std::string*>(field.target)) return set_word(field, value);
  if (std::holds_alternative<Names*>(field.target)) return set_names(field, value);
  if (std::holds_alternative<Files*>(field.target)) return set_files(field, value);
  if (std::holds_alternative<Integers*>(field.target)) return set_integers(field, value);
  if (auto* const* flag = std::get_if<bool*>(&field.target)) {
    if (!value.is_bool()) return misfit(field, value, "true or false");
    **flag = value.as_bool();
    return {};
  }
  if (!value.is_object()) return misfit(field, value, "keys with values");
  *std::get<Json*>(field.target) = value;
  return {};
}

Json value_of(const Field& field) {
  return std::visit(
      [](auto* target) -> Json {
        using T = std::decay_t<decltype(*target)>;
        if constexpr (std::is_same_v<T, Names> || std::is_same_v<T, Integers>) {
          Json list = Json::array();
          for (const auto& entry : *target) list.push_back(entry);
          return list;
        } else if constexpr (std::is_same_v<T, Files>) {
          Json list = Json::array();
          for (const DataFile& file : *target) list.push_back(Json::object().set("path", file.path).set("weight", file.weight));
          return list;
        } else {
          return *target;
        }
      },
      field.target);
}

Status unknown_key(const std::string& key, const std::vector<Field>& known) {
  Names keys;
  for (const Field& field : known) keys.push_back(field.key);
  const std::string nearest = nearest_name(key, keys);
  return Status::invalid("recipe: " + quoted(key) + " is no key" +
                         (nearest.empty() ? "; see docs/guide/train.md" : "; did you mean " + nearest + "?"));
}

// Sets every field below `prefix` that `json` names.
Status apply(const Json& json, const std::string& prefix, const std::vector<Field>& known) {
  for (const auto& [name, value] : json.as_object()) {
    const std::string key = prefix + name;
    const auto field = std::find_if(known.begin(), known.end(), [&](const Field& f) { return f.key == key; });
    if (field != known.end()) {
      ATELIER_RETURN_IF_ERROR(set_field(*field, value));
      continue;
    }
    const bool is_section = std::any_of(known.begin(), known.end(), [&](const Field& f) { return f.key.starts_with(key + "."); });
    if (!is_section) return unknown_key(key, known);
    if (value.is_null()) continue;
    if (!value.is_object()) return Status::invalid("recipe: " + key + ": is " + value.dump() + ", must be keys with values");
    ATELIER_RETURN_IF_ERROR(apply(value, key + ".", known));
  }
  return {};
}

// "model.config.n_layer=2" changes a member of a field that holds keys; other keys are fields.
Status apply_override(const std::string& text, const std::vector<Field>& known) {
  const size_t equals = text.find('=');
  if (equals == text.npos) return Status::invalid("--set: " + quoted(text) + " has no =; write key=value");
  const std::string key = text.substr(0, equals);
  ATELIER_TRY(const Json value, parse_yaml(text.substr(equals + 1), "--set " + key));
  for (const Field& field : known) {
    if (field.key == key) return set_field(field, value);
    if (auto* const* json = std::get_if<Json*>(&field.target); json && key.starts_with(field.key + ".")) {
      (*json)->set(key.substr(field.key.size() + 1), value);
      return {};
    }
  }
  return unknown_key(key, known);
}

Result<models::ModulePatterns> patterns_of(const std::string& key, const Json& json) {
  models::ModulePatterns patterns;
  for (const auto& [module, value] : json.as_object()) {
    if (!value.is_number() || !(value.as_double() > 0)) {
      return Status::invalid(fmt::format("recipe: {}: {} is {}, must be a number above 0", key, module, value.dump()));
    }
    patterns.emplace_back(module, value.as_double());
  }
  return patterns;
}

// Fields that follow from others.
Status resolve_adapter(Recipe& recipe) {
  using models::AdapterKind;
  constexpr std::pair<const char*, AdapterKind> kKinds[] = {{"", AdapterKind::kNone},         {"lora", AdapterKind::kLora},
                                                            {"ia3", AdapterKind::kIa3},       {"prompt", AdapterKind::kPrompt},
                                                            {"prefix", AdapterKind::kPrefix}, {"bottleneck", AdapterKind::kBottleneck},
                                                            {"bitfit", AdapterKind::kBitFit}};
  recipe.adapter.kind = std::ranges::find_if(kKinds, [&](const auto& kind) { return recipe.adapter_kind == kind.first; })->second;
  if (recipe.adapter.kind == AdapterKind::kLora && recipe.lora.rank == 0) recipe.lora.rank = 8;
  if (recipe.adapter.kind != AdapterKind::kNone && recipe.adapter.kind != AdapterKind::kLora && recipe.lora.rank > 0) {
    return Status::invalid(
        fmt::format("recipe: adapter.kind: {} and lora.rank {} are two adapters; keep one", recipe.adapter_kind, recipe.lora.rank));
  }
  ATELIER_TRY(recipe.lora.ranks, patterns_of("lora.rank_pattern", recipe.rank_pattern));
  ATELIER_TRY(recipe.lora.alphas, patterns_of("lora.alpha_pattern", recipe.alpha_pattern));
  return {};
}

bool is_task_format(const std::string& format) {
  return format == "records" || format == "table" || format == "conll" || format == "squad";
}

Status check_task(const Recipe& recipe) {
  const bool is_task = task_of(recipe) != data::TaskKind::kNone;
  if (is_task != is_task_format(recipe.data.format)) {
    return Status::invalid(is_task ? "recipe: data.format: " + recipe.data.format + " holds no task; use records, table, conll or squad"
                                   : "recipe: data.format: " + recipe.data.format +
                                         " is of tasks; set data.objective to sequence_classification or its like");
  }
  if (!is_task) {
    if (recipe.model.is_body_frozen)
      return Status::invalid("recipe: model.freeze_body: only a task has a head that learns alone; leave it out");
    return recipe.data.test.empty() ? Status() : Status::invalid("recipe: data.test: only tasks are scored; use data.validation");
  }
  if (recipe.samples.every > 0 || recipe.samples.answers > 0) {
    return Status::invalid("recipe: samples: a task's head writes no text; set samples.every and samples.answers to 0");
  }
  if (!recipe.data.test.empty() && recipe.data.validation.empty() && recipe.data.validation_fraction == 0) {
    return Status::invalid("recipe: data.test: the best model is found on validation data; give data.validation or validation_fraction");
  }
  if (!has_adapter(recipe)) return {};
  if (recipe.model.is_body_frozen) return Status::invalid("recipe: model.freeze_body: an adapter changes the body; keep one of the two");
  const bool is_lora = recipe.adapter.kind == models::AdapterKind::kNone || recipe.adapter.kind == models::AdapterKind::kLora;
  return is_lora ? Status() : Status::invalid("recipe: adapter.kind: " + recipe.adapter_kind + " leaves a task's head out; use lora");
}

// What no single field shows.
Status check_recipe(const Recipe& recipe) {
  if (recipe.data.train.empty()) return Status::invalid("recipe: data.train: names no file; give the path of the training data");
  if (recipe.model.from.empty() && recipe.model.architecture.empty()) {
    return Status::invalid("recipe: model.from or model.architecture: neither is given; name a model to start from, or an architecture");
  }
  if (!recipe.model.frozen_type.empty() && (recipe.model.from.empty() || !(has_adapter(recipe) || recipe.model.is_body_frozen))) {
    return Status::invalid("recipe: model.frozen_type: no weights of a checkpoint are frozen; give model.from and lora.rank or an adapter");
  }
  if (recipe.name.find('/') != std::string::npos) {
    return Status::invalid("recipe: name: " + quoted(recipe.name) + ", must be one word; set `runs` for the folder");
  }
  if (!recipe.model.add_tokens.empty() && has_adapter(recipe)) {
    return Status::invalid("recipe: model.add_tokens: an adapter leaves embeddings as they are; leave out the adapter, or the tokens");
  }
  if (recipe.samples.answers > 0 && recipe.data.format == "text") {
    return Status::invalid("recipe: samples.answers: data.format text has no questions; use samples.every and samples.prompt");
  }
  if (data::find_objective(recipe.data.objective)->is_masked) {
    if (recipe.data.format != "text") return Status::invalid("recipe: data.objective: masks need running text; set data.format to text");
    if (recipe.samples.every > 0) return Status::invalid("recipe: samples.every: an encoder writes no samples; set it to 0");
  }
  ATELIER_RETURN_IF_ERROR(check_task(recipe));
  const int num_warmups = (recipe.schedule.warmup_steps > 0) + (recipe.warmup_ratio > 0) + (recipe.warmup_tokens > 0);
  if (num_warmups > 1) return Status::invalid("recipe: schedule: warmup_steps, warmup_ratio and warmup_tokens are one thing; keep one");
  return {};
}

}  // namespace

Result<Recipe> parse_recipe(const std::string& text, const std::string& name, const std::vector<std::string>& overrides) {
  ATELIER_TRY(const Json json, parse_yaml(text, name));
  if (!json.is_object()) return Status::corrupt(name + ": is no recipe; write keys with values");
  Recipe recipe;
  const std::vector<Field> known = fields(recipe);
  ATELIER_RETURN_IF_ERROR(apply(json, "", known));
  for (const std::string& text_of_override : overrides) ATELIER_RETURN_IF_ERROR(apply_override(text_of_override, known));
  if (recipe.name.empty()) recipe.name = io::name_of(name).substr(0, io::name_of(name).rfind('.'));
  if (recipe.epsilon_kind == "tensorflow") recipe.optimizer_options.epsilon_kind = optim::EpsilonKind::kTensorFlow;
  ATELIER_RETURN_IF_ERROR(resolve_adapter(recipe));
  ATELIER_RETURN_IF_ERROR(check_recipe(recipe));
  return recipe;
}

Result<Recipe> read_recipe(const std::string& path, const std::vector<std::string>& overrides) {
  ATELIER_TRY(const std::string text, io::read_file(path, int64_t{1} << 20));
  return parse_recipe(text, path, overrides);
}

data::TaskKind task_of(const Recipe& recipe) { return data::find_objective(recipe.data.objective)->task; }

bool has_adapter(const Recipe& recipe) { return recipe.adapter.kind != models::AdapterKind::kNone || recipe.lora.rank > 0; }

Json recipe_json(const Recipe& recipe) {
  Recipe copy = recipe;
  Json json = Json::object();
  for (const Field& field : fields(copy)) {
    const size_t dot = field.key.find('.');
    if (dot == field.key.npos) {
      json.set(field.key, value_of(field));
      continue;
    }
    const std::string section = field.key.substr(0, dot);
    Json members = json.contains(section) ? *json.find(section) : Json::object();
    members.set(field.key.substr(dot + 1), value_of(field));
    json.set(section, std::move(members));
  }
  return json;
}

std::vector<FieldHelp> recipe_fields() {
  Recipe defaults;
  std::vector<FieldHelp> help;
  for (const Field& field : fields(defaults)) help.push_back({field.key, value_of(field).dump(), field.help});
  return help;
}

}  // namespace atelier::train
