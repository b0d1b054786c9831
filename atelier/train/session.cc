#include "atelier/train/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "atelier/base/strings.h"
#include "atelier/convert/hf_side_files.h"
#include "atelier/data/example_rows.h"
#include "atelier/data/kept_rows.h"
#include "atelier/data/objective.h"
#include "atelier/data/records.h"
#include "atelier/data/task_records.h"
#include "atelier/data/token_rows.h"
#include "atelier/io/file.h"
#include "atelier/models/store.h"
#include "atelier/tokenize/trainer.h"

namespace atelier::train {
namespace {

std::string token_text(const tokenize::Tokenizer& tokenizer, const std::optional<tokenize::TokenId>& id) {
  return id ? tokenizer.id_to_token(*id) : std::string();
}

bool is_learnt(const std::string& tokenizer) { return tokenizer == "character" || tokenizer == "byte"; }

// Every character (or byte) that the training text has, without special tokens: nothing in the text is unknown.
Result<std::string> learn_tokenizer(const Recipe& recipe) {
  ATELIER_TRY(const tokenize::TrainerDef* trainer, tokenize::find_trainer(recipe.model.tokenizer));
  std::vector<std::string> paths;
  for (const DataFile& file : recipe.data.train) paths.push_back(file.path);
  ATELIER_TRY(tokenize::Corpus corpus, tokenize::Corpus::open(paths, "text"));
  tokenize::TrainerOptions options;
  options.special_tokens.emplace();
  ATELIER_TRY(const Json json, tokenize::train_tokenizer(*trainer, options, corpus, {}));
  return json.dump(1) + "\n";
}

Status open_own_tokenizer(const Recipe& recipe, TextSide& side) {
  const std::string& name = recipe.model.tokenizer;
  if (is_learnt(name)) {
    ATELIER_TRY(side.learnt_json, learn_tokenizer(recipe));
  } else {
    ATELIER_TRY(side.learnt_json, io::read_file(name));
    const std::string config = io::join_path(io::folder_of(name), "tokenizer_config.json");
    if (io::is_file(config)) {
      ATELIER_TRY(side.config_json, io::read_file(config));
    }
  }
  ATELIER_TRY(side.owned, tokenize::Tokenizer::from_tokenizer_json(side.learnt_json, name, side.config_json));
  side.tokenizer = side.owned.get();
  if (const auto eos = side.tokenizer->eos()) side.stop_ids.push_back(*eos);
  return {};
}

Status open_tokenizer_of(const std::string& model, TextSide& side) {
  models::LoadOptions load;
  load.is_to_run = false;
  ATELIER_TRY(const std::string path, models::resolve_model_path(model));
  ATELIER_TRY(side.origin, models::load_model(path, load));
  ATELIER_TRY(side.tokenizer, side.origin->tokenizer());
  side.stop_ids = side.origin->defaults().stop_ids;
  if (side.origin->chat_template().empty()) return {};
  ATELIER_TRY(side.chat_template, tokenize::ChatTemplate::parse(side.origin->chat_template(), model));
  return {};
}

// The tokenizer with `words` as tokens behind its own, matched in every text, as transformers' add_tokens() leaves it.
Status add_tokens(const std::vector<std::string>& words, const std::string& name, TextSide& side) {
  if (side.origin) {
    ATELIER_TRY(const convert::TokenizerFiles files, convert::hf_tokenizer_files(*side.origin));
    side.learnt_json = files.tokenizer;
    side.config_json = files.config;
  }
  ATELIER_TRY(Json tokenizer, Json::parse(side.learnt_json, name));
  const Json* known = tokenizer.find("added_tokens");
  Json added = known && known->is_array() ? *known : Json::array();
  int64_t id = side.tokenizer->vocab_size();
  for (const std::string& word : words) {
    if (word.empty()) return Status::invalid("recipe: model.add_tokens: holds an empty word");
    if (side.tokenizer->token_to_id(word)) continue;
    Json token = Json::object().set("id", id++).set("content", word);
    for (const char* flag : {"single_word", "lstrip", "rstrip", "normalized", "special"}) token.set(flag, false);
    added.push_back(std::move(token));
  }
  side.learnt_json = tokenizer.set("added_tokens", std::move(added)).dump(1) + "\n";
  ATELIER_TRY(side.owned, tokenize::Tokenizer::from_tokenizer_json(side.learnt_json, name, side.config_json));
  side.tokenizer = side.owned.get();
  return {};
}

// What is trained on and what is kept for validation, of `count` tokens or records.
int64_t num_trained(const Recipe& recipe, int64_t count) {
  return static_cast<int64_t>(static_cast<double>(count) * (1 - recipe.data.validation_fraction));
}

// The class of new weights: that with the head which the objective needs, else the architecture's first.
std::string class_for(const Recipe& recipe, const models::ArchDef& arch) {
  const bool is_masked = data::find_objective(recipe.data.objective)->is_masked;
  for (const std::string_view name : arch.hf_classes) {
    if (is_masked && name.ends_with("ForMaskedLM")) return std::string(name);
  }
  return arch.hf_classes[0];
}

Status check_objective(const Recipe& recipe, const nn::TransformerSpec& spec) {
  if (task_of(recipe) != data::TaskKind::kNone) return {};  // the architecture has such a head
  const bool is_masked = data::find_objective(recipe.data.objective)->is_masked;
  const bool is_encoder = spec.mask == nn::MaskKind::kBidirectional;
  if (is_masked != is_encoder) {
    return Status::invalid(fmt::format("recipe: data.objective: {} does not fit {}; use {}", recipe.data.objective, spec.architecture,
                                       is_encoder ? "masked_lm" : "causal_lm"));
  }
  if (spec.has_language_head) return {};
  return Status::invalid("recipe: model: has no language head; use a class such as BertForMaskedLM");
}

nn::ProblemKind problem_of(const std::string& name) {
  return name == "regression"    ? nn::ProblemKind::kRegression
         : name == "many_labels" ? nn::ProblemKind::kManyLabels
                                 : nn::ProblemKind::kOneLabel;
}

// None where the task has no labels of its own.
Result<std::vector<std::string>> training_labels(data::TaskKind task, nn::ProblemKind problem,
                                                 const std::vector<std::vector<Json>>& files) {
  const bool has_labels = task == data::TaskKind::kTokens || (task == data::TaskKind::kText && problem != nn::ProblemKind::kRegression);
  if (!has_labels) return std::vector<std::string>();
  Result<std::vector<std::string>> labels = labels_of(task, files);
  if (!labels.ok()) return labels.status().with_context("data");
  if (labels->size() < 2 && problem == nn::ProblemKind::kOneLabel) {
    return Status::invalid("data: all records have the same label; nothing can be learnt from them");
  }
  return labels;
}

Precision precision_of(const std::string& name) {
  return name == "f32" ? Precision::kF32 : name == "bf16" ? Precision::kBF16 : Precision::kAuto;
}

}  // namespace

Result<TextSide> open_text_side(const Recipe& recipe) {
  TextSide side;
  const std::string& tokenizer = recipe.model.tokenizer;
  if (tokenizer.empty() && recipe.model.from.empty()) {
    return Status::invalid("recipe: model.tokenizer: is empty, new weights need one; use `character`, a tokenizer.json or a model's name");
  }
  const bool is_own = is_learnt(tokenizer) || tokenizer.ends_with(".json");
  ATELIER_RETURN_IF_ERROR(is_own ? open_own_tokenizer(recipe, side)
                                 : open_tokenizer_of(tokenizer.empty() ? recipe.model.from : tokenizer, side));
  side.num_known_tokens = side.tokenizer->vocab_size();
  if (!recipe.model.add_tokens.empty()) ATELIER_RETURN_IF_ERROR(add_tokens(recipe.model.add_tokens, "model.add_tokens", side));
  return side;
}

Result<std::unique_ptr<DataSide>> DataSide::open(const Recipe& recipe, const TextSide& text, const std::string& folder) {
  auto side = std::make_unique<DataSide>();
  if (recipe.data.format == "text") {
    ATELIER_RETURN_IF_ERROR(side->open_text(recipe, *text.tokenizer, folder));
  } else if (task_of(recipe) != data::TaskKind::kNone) {
    ATELIER_RETURN_IF_ERROR(side->open_task(recipe, *text.tokenizer));
  } else {
    ATELIER_RETURN_IF_ERROR(side->open_examples(recipe, text));
  }
  const auto limit = static_cast<size_t>(side->head_.kind == nn::HeadKind::kNone ? recipe.evaluation.rows : 0);  // a task's are records
  if (limit > 0 && side->validation_.size() > limit) side->validation_.resize(limit);
  return side;
}

// Labels are those of all training files together; a file's end that is kept for validation may have no other ones.
Status DataSide::open_task(const Recipe& recipe, const tokenize::Tokenizer& tokenizer) {
  const data::TaskKind task = task_of(recipe);
  std::vector<std::vector<Json>> trained;
  std::vector<Json> judged, tested;
  for (const DataFile& file : recipe.data.train) {
    ATELIER_TRY(std::vector<Json> records, data::read_task_records(file.path, recipe.data.format, recipe.data.columns));
    const auto kept = static_cast<std::ptrdiff_t>(num_trained(recipe, std::ssize(records)));
    if (kept == 0) return Status::invalid("data: " + file.path + ": validation_fraction leaves no record to train on; lower it");
    std::move(records.begin() + kept, records.end(), std::back_inserter(judged));
    records.erase(records.begin() + kept, records.end());
    trained.push_back(std::move(records));
  }
  for (const auto& [files, out] : {std::pair{&recipe.data.validation, &judged}, std::pair{&recipe.data.test, &tested}}) {
    for (const DataFile& file : *files) {
      ATELIER_TRY(std::vector<Json> records, data::read_task_records(file.path, recipe.data.format, recipe.data.columns));
      std::ranges::move(records, std::back_inserter(*out));
    }
  }
  const nn::ProblemKind problem = problem_of(recipe.data.problem);
  ATELIER_TRY(std::vector<std::string> labels, training_labels(task, problem, trained));
  head_ = head_of(task, problem, std::move(labels));
  const TaskEncoder encoder(tokenizer, task, head_, recipe.data.context, recipe.data.shared);
  std::vector<data::RowPart> parts;
  for (size_t i = 0; i < trained.size(); ++i) {
    Result<TaskRows> encoded = encoder.encode(std::move(trained[i]));
    if (!encoded.ok()) return encoded.status().with_context("data: " + recipe.data.train[i].path);
    parts.push_back({{}, recipe.data.train[i].weight});
    for (TaskRow& row : encoded->rows) parts.back().rows.push_back(std::move(row.row));
  }
  const auto limit = static_cast<size_t>(recipe.evaluation.rows);
  if (limit > 0 && judged.size() > limit) judged.resize(limit);
  const auto encode = [&](std::vector<Json> records, const char* name, TaskRows& out) -> Status {
    Result<TaskRows> encoded = encoder.encode(std::move(records));
    if (!encoded.ok()) return encoded.status().with_context(name);
    out = std::move(encoded).value();
    return {};
  };
  ATELIER_RETURN_IF_ERROR(encode(std::move(judged), "data: validation", judged_));
  ATELIER_RETURN_IF_ERROR(encode(std::move(tested), "data: test", test_));
  for (const TaskRow& row : judged_.rows) validation_.push_back(row.row);
  train_ = data::kept_rows(std::move(parts), static_cast<uint64_t>(recipe.seed));
  return {};
}

Status DataSide::open_text(const Recipe& recipe, const tokenize::Tokenizer& tokenizer, const std::string& folder) {
  const auto tokens_of = [&](const DataFile& file) -> Result<std::span<const int32_t>> {
    ATELIER_TRY(const auto records, data::Records::open(file.path));
    const std::string path = io::join_path(folder, fmt::format("tokens-{}.bin", token_files_.size()));
    ATELIER_TRY(auto tokens, data::TokenFile::create(path, *records, tokenizer));
    token_files_.push_back(std::move(tokens));
    return token_files_.back()->tokens();
  };
  const data::ObjectiveDef& objective = *data::find_objective(recipe.data.objective);
  ATELIER_TRY(data::ObjectiveTokens vocabulary, data::objective_tokens(objective, tokenizer));
  const auto seed = static_cast<uint64_t>(recipe.seed);
  const auto around = static_cast<int64_t>(vocabulary.frame.before.size() + vocabulary.frame.after.size());
  const int64_t piece = recipe.data.context - around;  // tokens of text in a row
  if (piece < 1) return Status::invalid(fmt::format("recipe: data.context: is {}, must be above {}", recipe.data.context, around));
  const auto validate = [&](std::span<const int32_t> tokens) {
    for (const data::Row& row : data::consecutive_rows(tokens, piece)) {
      validation_.push_back(data::objective_row(objective, vocabulary, row, seed));
    }
  };
  std::vector<data::TokenPart> parts;
  for (const DataFile& file : recipe.data.train) {
    ATELIER_TRY(const std::span<const int32_t> tokens, tokens_of(file));
    const auto kept = static_cast<size_t>(num_trained(recipe, static_cast<int64_t>(tokens.size())));
    parts.push_back({tokens.first(kept), file.weight});
    validate(tokens.subspan(kept));
  }
  for (const DataFile& file : recipe.data.validation) {
    ATELIER_TRY(const std::span<const int32_t> tokens, tokens_of(file));
    validate(tokens);
  }
  const auto sampling = recipe.data.sampling == "crops" ? data::TokenSampling::kCrops : data::TokenSampling::kBlocks;
  ATELIER_TRY(std::unique_ptr<data::RowSource> rows, data::token_rows(std::move(parts), sampling, piece, seed));
  train_ = data::objective_rows(objective, std::move(vocabulary), std::move(rows), seed);
  return {};
}

Status DataSide::open_examples(const Recipe& recipe, const TextSide& text) {
  encoder_.tokenizer = text.tokenizer;
  encoder_.chat_template = text.chat_template ? &*text.chat_template : nullptr;
  encoder_.bos_token = token_text(*text.tokenizer, text.tokenizer->bos());
  encoder_.eos_token = token_text(*text.tokenizer, text.tokenizer->eos());
  encoder_.format = recipe.data.format == "chat"          ? data::RecordFormat::kChat
                    : recipe.data.format == "instruction" ? data::RecordFormat::kInstruction
                                                          : data::RecordFormat::kPairs;
  std::vector<data::ExamplePart> trained, judged;
  for (const DataFile& file : recipe.data.train) {
    ATELIER_TRY(const auto records, data::Records::open(file.path));
    const int64_t kept = num_trained(recipe, records->size());
    if (kept == 0) return Status::invalid("data: " + file.path + ": validation_fraction leaves no record to train on; lower it");
    trained.push_back({records, 0, kept, file.weight});
    if (kept < records->size()) judged.push_back({records, kept, records->size(), 1});
  }
  for (const DataFile& file : recipe.data.validation) {
    ATELIER_TRY(const auto records, data::Records::open(file.path));
    judged.push_back({records, 0, records->size(), 1});
  }
  train_ = data::example_rows(std::move(trained), encoder_, recipe.data.context, recipe.data.is_packed, static_cast<uint64_t>(recipe.seed));
  if (judged.empty()) return {};
  ATELIER_TRY(validation_, data::all_example_rows(judged, encoder_, recipe.data.context));
  return {};
}

Result<std::unique_ptr<models::TrainableModel>> open_trainable(const Recipe& recipe, const TextSide& text, const nn::HeadSpec& head) {
  const int64_t vocab_size = text.tokenizer->vocab_size();
  models::TrainOptions options;
  options.first_new_token = text.num_known_tokens;
  options.num_new_tokens = vocab_size - text.num_known_tokens;
  options.precision = precision_of(recipe.model.precision);
  if (!recipe.model.frozen_type.empty()) options.frozen_type = dtype_from_name(recipe.model.frozen_type);
  options.max_length = recipe.data.context;
  options.has_checkpoints = recipe.model.has_checkpoints;
  options.dropout = recipe.model.dropout;
  options.seed = static_cast<uint64_t>(recipe.seed);
  options.lora = recipe.lora;
  options.adapter = recipe.adapter;
  options.head = head;
  options.is_body_frozen = recipe.model.is_body_frozen;
  std::unique_ptr<models::TrainableModel> model;
  if (!recipe.model.from.empty()) {
    ATELIER_TRY(const std::string path, models::resolve_model_path(recipe.model.from));
    ATELIER_TRY(model, models::TrainableModel::from_checkpoint(path, options));
  } else {
    const auto architectures = models::architectures();
    const auto arch = std::find_if(architectures.begin(), architectures.end(),
                                   [&](const models::ArchDef* def) { return recipe.model.architecture == def->name; });
    Json config = recipe.model.config;
    if (!config.contains("vocab_size")) config.set("vocab_size", vocab_size);
    if (!config.contains("architectures")) config.set("architectures", Json::Array{Json(class_for(recipe, **arch))});
    Result<nn::TransformerSpec> spec = (*arch)->from_hf(config);
    if (!spec.ok()) return spec.status().with_context("recipe: model.config");
    ATELIER_TRY(model, models::TrainableModel::from_spec(**arch, *spec, options));
  }
  ATELIER_RETURN_IF_ERROR(check_objective(recipe, model->spec()));
  if (recipe.data.context > model->spec().max_context) {
    return Status::invalid(fmt::format("recipe: data.context: is {}, the model's is {}; lower it or enlarge model.config",
                                       recipe.data.context, model->spec().max_context));
  }
  if (vocab_size > model->spec().vocab_size) {
    return Status::invalid(fmt::format("recipe: model.tokenizer: has {} tokens, the model {}; use the model's tokenizer", vocab_size,
                                       model->spec().vocab_size));
  }
  return model;
}

optim::ScheduleOptions resolved_schedule(const Recipe& recipe) {
  optim::ScheduleOptions schedule = recipe.schedule;
  schedule.num_steps = recipe.training.steps;
  if (recipe.warmup_ratio > 0) schedule.warmup_steps = std::llround(recipe.warmup_ratio * static_cast<double>(recipe.training.steps));
  if (recipe.warmup_tokens > 0) {
    const int64_t tokens = recipe.training.batch * recipe.data.context;
    schedule.warmup_steps = (recipe.warmup_tokens + tokens - 1) / tokens;
  }
  return schedule;
}

std::vector<optim::Parameter> optimizer_parameters(models::TrainableModel& model) {
  std::vector<optim::Parameter> parameters;
  for (const models::TrainParameter& p : model.parameters()) parameters.push_back({p.name, p.value, p.gradient, p.has_decay});
  return parameters;
}

}  // namespace atelier::train
