#include "atelier/train/trainer.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>

#include "atelier/io/file.h"
#include "atelier/models/head_outputs.h"
#include "atelier/optim/average.h"
#include "atelier/optim/clip.h"
#include "atelier/train/batches.h"
#include "atelier/train/checkpoint.h"
#include "atelier/train/export.h"
#include "atelier/train/loss_watch.h"
#include "atelier/train/run_folder.h"
#include "atelier/train/sample.h"
#include "atelier/train/session.h"

namespace atelier::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

int64_t micro_rows(const Recipe& recipe) { return recipe.training.micro_batch > 0 ? recipe.training.micro_batch : recipe.training.batch; }

// The gradients of one step's batch, and its mean loss.
Result<double> gradients_of(models::TrainableModel& model, const std::vector<data::Row>& rows, int64_t most_rows, int64_t step) {
  const int64_t num_labels = count_labels(rows);
  if (num_labels == 0)
    return Status::invalid("data: all labels of a batch are ignored, nothing can be learnt; look at it with --show-batch");
  model.zero_gradients();
  double loss = 0;
  const double weight = 1.0 / static_cast<double>(num_labels);
  for (const data::Row& micro : micro_batches(rows, most_rows)) {
    ATELIER_TRY(const double part, model.loss_and_backward(batch_of(micro, step, weight), weight));
    loss += part;
  }
  return loss;
}

Result<std::vector<data::Row>> next_rows(data::RowSource& source, int64_t count) {
  std::vector<data::Row> rows;
  for (int64_t i = 0; i < count; ++i) {
    ATELIER_TRY(data::Row row, source.next());
    rows.push_back(std::move(row));
  }
  return rows;
}

class Trainer {
 public:
  Trainer(const Recipe& recipe, const TrainHooks& hooks, RunFolder folder)
      : recipe_(recipe),
        hooks_(hooks),
        folder_(std::move(folder)),
        schedule_(resolved_schedule(recipe)),
        watch_(recipe.training.spike_deviations) {}

  // A run that fails before its first step leaves nothing.
  Result<TrainResult> run() {
    Result<TrainResult> result = open_and_train();
    if (!result.ok() && state_.step == 0) folder_.discard();
    return result;
  }

 private:
  Result<TrainResult> open_and_train() {
    ATELIER_RETURN_IF_ERROR(open());
    TrainResult result;
    if (state_.step == 0 && !recipe_.model.from.empty()) ATELIER_RETURN_IF_ERROR(look_before());
    bool is_done = state_.step >= recipe_.training.steps || has_lost_patience();
    while (!is_done) {
      ATELIER_TRY(StepReport report, step());
      result.loss = report.loss;
      is_done = state_.step >= recipe_.training.steps;
      if (is_due(recipe_.evaluation.every, is_done) && !data_->validation().empty()) ATELIER_RETURN_IF_ERROR(evaluate());
      if (is_due(recipe_.samples.every, false)) ATELIER_RETURN_IF_ERROR(sample());
      is_done = is_done || has_lost_patience();
      if (is_due(recipe_.checkpoints.every, is_done)) ATELIER_RETURN_IF_ERROR(save());
      report.validation_loss = latest_validation_;
      report.scores = latest_scores_;
      if (hooks_.on_step && !hooks_.on_step(report) && !is_done) return stop();
    }
    if (!state_.best_loss) ATELIER_RETURN_IF_ERROR(export_model());
    ATELIER_RETURN_IF_ERROR(look_behind(result));
    ATELIER_RETURN_IF_ERROR(folder_.write_report(recipe_));
    result.step = state_.step;
    result.best_loss = state_.best_loss;
    result.best_step = state_.best_step;
    result.stopped_early = has_lost_patience() && state_.step < recipe_.training.steps;
    result.folder = folder_.path();
    result.model = folder_.model();
    return result;
  }

  bool is_due(int64_t every, bool is_last) const { return is_last || (every > 0 && state_.step % every == 0); }
  bool has_lost_patience() const { return recipe_.evaluation.patience > 0 && state_.num_worse >= recipe_.evaluation.patience; }
  Status open() {
    ATELIER_TRY(text_, open_text_side(recipe_));
    ATELIER_RETURN_IF_ERROR(export_text_side(text_, recipe_.data.context, folder_.model()));
    ATELIER_TRY(data_, DataSide::open(recipe_, text_, folder_.path()));
    questions_ = first_questions(data_->validation(), recipe_.samples.answers);
    ATELIER_TRY(model_, open_trainable(recipe_, text_, data_->head()));
    optimizer_ = std::make_unique<optim::Optimizer>(*optim::find_optimizer(recipe_.optimizer), recipe_.optimizer_options,
                                                    optimizer_parameters(*model_));
    if (recipe_.training.average_decay > 0) average_ = std::make_unique<optim::WeightAverage>(optimizer_->parameters());
    if (folder_.is_resumed()) ATELIER_RETURN_IF_ERROR(resume());
    return folder_.start_log(state_.step);
  }

  Trained trained() { return {*optimizer_, average_.get()}; }

  Status resume() {
    Result<TrainState> state = load_checkpoint(folder_.checkpoints(), trained());
    if (!state.ok()) return state.status().code() == StatusCode::kNotFound ? Status() : state.status();  // killed before the first one
    state_ = std::move(state).value();
    optimizer_->set_num_steps(state_.step);
    return data_->train().restore(state_.data_cursor);
  }

  Result<StepReport> step() {
    const auto start = Clock::now();
    ATELIER_TRY(const std::vector<data::Row> rows, next_rows(data_->train(), recipe_.training.batch));
    const int64_t number = state_.step + 1;
    ATELIER_TRY(const double loss, gradients_of(*model_, rows, micro_rows(recipe_), number));
    const double norm = optim::global_norm(optimizer_->parameters());
    if (const auto reason = watch_.check(loss, norm)) return broken(number, *reason);
    const double rate = optim::learning_rate_at(schedule_, number);
    optimizer_->step(rate, optim::clip_factor(norm, recipe_.training.clip));
    if (average_) average_->update(optimizer_->parameters(), 1 - recipe_.training.average_decay);
    state_.step = number;
    int64_t num_tokens = 0;
    for (const data::Row& row : rows) num_tokens += static_cast<int64_t>(row.ids.size());
    const StepReport report{number, recipe_.training.steps, loss, rate, norm, static_cast<double>(num_tokens) / seconds_since(start), {}};
    ATELIER_RETURN_IF_ERROR(folder_.log(Json::object()
                                            .set("step", number)
                                            .set("loss", loss)
                                            .set("learning_rate", rate)
                                            .set("gradient_norm", norm)
                                            .set("tokens_per_s", std::round(report.tokens_per_s))));
    return report;
  }

  Status broken(int64_t number, const std::string& reason) const {
    const std::string latest = io::join_path(folder_.checkpoints(), "latest");
    return Status::out_of_range(fmt::format(
        "training: step {}: {}; {}", number, reason,
        io::is_file(latest) ? "the last good checkpoint is kept in " + folder_.checkpoints() : std::string("there is no checkpoint yet")));
  }

  // The averages stand in for the weights while `use` runs.
  template <class Use>
  Status with_average(const Use& use) {
    if (!average_) return use();
    average_->swap_with(optimizer_->parameters());
    const Status status = use();
    average_->swap_with(optimizer_->parameters());
    return status;
  }

  Result<double> validation_loss() { return mean_loss(*model_, data_->validation(), micro_rows(recipe_)); }

  // What the checkpoint that a run begins with can do.
  Status look_before() {
    if (!data_->validation().empty()) {
      ATELIER_TRY(latest_validation_, validation_loss());
      ATELIER_RETURN_IF_ERROR(folder_.log(Json::object().set("step", 0).set("validation_loss", *latest_validation_)));
    }
    return answer(model_->transformer(), model_->running().adapter);
  }

  // The same behind the last step. Of weights that were trained the saved model answers, read as everybody will; the one that learned is
  // given back before. An adapter may not be part of the saved weights: with one, the model that learned answers.
  Status look_behind(TrainResult& result) {
    if (has_adapter(recipe_)) {
      ATELIER_RETURN_IF_ERROR(answer(model_->transformer(), model_->running().adapter));
    } else if (!questions_.empty()) {
      average_.reset();
      optimizer_.reset();
      model_.reset();
      models::LoadOptions load;
      load.context = recipe_.data.context;
      ATELIER_TRY(const auto model, models::load_model(folder_.model(), load));
      nn::Transformer transformer(model->spec(), model->transformer().parameters(), model->context());
      ATELIER_RETURN_IF_ERROR(answer(transformer, nullptr));
    }
    ATELIER_TRY(const std::vector<Json> log, folder_.read_log());
    for (const Json& line : log) {
      if (line.find("step")->as_int() == 0 && line.contains("validation_loss"))
        result.start_loss = line.find("validation_loss")->as_double();
    }
    read_best_scores(log, result);
    result.answers = compared_answers(log);
    return {};
  }

  Status answer(nn::Transformer& transformer, const nn::Adapter* adapter) {
    ATELIER_TRY(const std::vector<Json> lines,
                answer_questions(transformer, *text_.tokenizer, questions_, sample_options(adapter), state_.step));
    for (const Json& line : lines) ATELIER_RETURN_IF_ERROR(folder_.log(line));
    return {};
  }

  Status evaluate() {
    return with_average([&]() -> Status {
      ATELIER_TRY(const Judgement judged, judge_validation());
      const double loss = judged.loss;
      latest_validation_ = loss;
      latest_scores_ = judged.scores;
      Json line = Json::object().set("step", state_.step).set("validation_loss", loss);
      for (const auto& [name, value] : latest_scores_) line.set("validation_" + name, value);
      const bool is_best = is_better(loss);
      if (is_best && !data_->test().rows.empty()) {
        ATELIER_TRY(const Judgement test, judge(*model_, data_->test(), micro_rows(recipe_)));
        for (const auto& [name, value] : test.scores) line.set("test_" + name, value);
      }
      ATELIER_RETURN_IF_ERROR(folder_.log(line));
      if (!is_best) {
        ++state_.num_worse;
        return {};
      }
      state_.best_loss = loss;
      if (!latest_scores_.empty()) state_.best_score = latest_scores_[0].second;
      state_.best_step = state_.step;
      state_.num_worse = 0;
      return write_model();
    });
  }

  // Scores are a task's.
  Result<Judgement> judge_validation() {
    if (!data_->judged().rows.empty()) return judge(*model_, data_->judged(), micro_rows(recipe_));
    ATELIER_TRY(const double loss, validation_loss());
    return Judgement{loss, {}};
  }

  // A task's models are compared by their score, equal ones and all others by their loss.
  bool is_better(double loss) const {
    if (!state_.best_loss) return true;
    if (!latest_scores_.empty() && state_.best_score && latest_scores_[0].second != *state_.best_score) {
      return latest_scores_[0].second > *state_.best_score;
    }
    return loss < *state_.best_loss;
  }

  // From the log, which a run that goes on has too.
  void read_best_scores(const std::vector<Json>& log, TrainResult& result) const {
    for (const Json& line : log) {
      if (!line.contains("validation_loss") || line.find("step")->as_int() != state_.best_step) continue;
      for (const auto& [key, value] : line.as_object()) {
        if (key.starts_with("test_")) result.test_scores.emplace_back(key.substr(5), value.as_double());
        if (key.starts_with("validation_") && key != "validation_loss") result.best_scores.emplace_back(key.substr(11), value.as_double());
      }
    }
  }

  Status export_model() {
    return with_average([&] { return write_model(); });
  }

  Status write_model() {
    if (model_->options().kind() != models::AdapterKind::kNone)
      ATELIER_RETURN_IF_ERROR(export_adapter(*model_, recipe_, folder_.adapter()));
    return export_weights(learned_weights(*model_), *text_.tokenizer, folder_.model());
  }

  // All but the prompt.
  SampleOptions sample_options(const nn::Adapter* adapter) const {
    return {.num_tokens = recipe_.samples.tokens,
            .context = recipe_.data.context,
            .stop_ids = text_.stop_ids,
            .temperature = recipe_.samples.temperature,
            .adapter = adapter,
            .seed = static_cast<uint64_t>(recipe_.seed),
            .stream = static_cast<uint64_t>(state_.step)};
  }

  Status sample() {
    return with_average([&]() -> Status {
      SampleOptions options = sample_options(model_->running().adapter);
      ATELIER_TRY(options.prompt, text_.tokenizer->encode_ids(recipe_.samples.prompt));
      ATELIER_TRY(const std::string text, sample_text(model_->transformer(), *text_.tokenizer, options));
      if (hooks_.on_sample) hooks_.on_sample(state_.step, text);
      return folder_.log(Json::object().set("step", state_.step).set("sample", text));
    });
  }

  Status save() {
    state_.data_cursor = data_->train().cursor();
    ATELIER_RETURN_IF_ERROR(save_checkpoint(folder_.checkpoints(), state_, trained(), recipe_.checkpoints.keep).status());
    return folder_.write_report(recipe_);
  }

  Status stop() {
    ATELIER_RETURN_IF_ERROR(save());
    if (!state_.best_loss) ATELIER_RETURN_IF_ERROR(export_model());
    return Status::cancelled(fmt::format("training: stopped at step {} of {}, saved in {}; go on with --resume", state_.step,
                                         recipe_.training.steps, folder_.path()));
  }

  const Recipe& recipe_;
  const TrainHooks& hooks_;
  RunFolder folder_;
  optim::ScheduleOptions schedule_;
  LossWatch watch_;
  TextSide text_;
  std::unique_ptr<DataSide> data_;
  std::vector<Question> questions_;
  std::unique_ptr<models::TrainableModel> model_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  std::unique_ptr<optim::WeightAverage> average_;
  TrainState state_;
  std::optional<double> latest_validation_;
  Scores latest_scores_;
};

// Where tokens lie while a recipe is only looked at.
class TemporaryFolder {
 public:
  static Result<std::unique_ptr<TemporaryFolder>> create() {
    std::string path = (std::filesystem::temp_directory_path() / "atelier-XXXXXX").string();
    if (!::mkdtemp(path.data())) return Status::io(path + ": cannot be created; set TMPDIR");
    return std::make_unique<TemporaryFolder>(path);
  }
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What a head is to say of a row: labels by name, numbers, an answer's text, tagged tokens.
std::vector<std::string> task_lines(const nn::HeadSpec& head, const ShownRow& shown) {
  std::vector<std::string> lines;
  const data::Row& row = shown.row;
  size_t begin = 0;
  for (size_t i = 0; head.kind == nn::HeadKind::kSpan && i < row.lengths.size(); ++i) {
    const auto first = shown.pieces.begin() + static_cast<std::ptrdiff_t>(begin);
    std::string answer;
    for (int32_t t = row.text_labels[2 * i]; t <= row.text_labels[2 * i + 1]; ++t) answer += (answer.empty() ? "" : " ") + first[t];
    lines.push_back("answer " + answer);
    begin += static_cast<size_t>(row.lengths[i]);
  }
  for (size_t i = 0; head.kind == nn::HeadKind::kSequence && i < row.text_labels.size(); ++i) {
    lines.push_back("label " + models::label_name(head, row.text_labels[i]));
  }
  for (size_t i = 0; head.kind == nn::HeadKind::kChoice && i < row.text_labels.size(); ++i) {
    lines.push_back("choice " + std::to_string(row.text_labels[i]));
  }
  for (size_t i = 0; i < row.targets.size(); ++i) {
    const std::string name =
        head.problem == nn::ProblemKind::kManyLabels ? models::label_name(head, static_cast<int64_t>(i) % head.num_labels) : "number";
    lines.push_back(fmt::format("{} {}", name, row.targets[i]));
  }
  for (size_t t = 0; head.kind == nn::HeadKind::kToken && t < row.labels.size(); ++t) {
    if (row.labels[t] >= 0) lines.push_back(models::label_name(head, row.labels[t]) + " " + shown.pieces[t]);
  }
  return lines;
}

}  // namespace

Result<TrainResult> train(const Recipe& recipe, bool resumes, const TrainHooks& hooks) {
  ATELIER_TRY(RunFolder folder, RunFolder::open(recipe, resumes));
  Trainer trainer(recipe, hooks, std::move(folder));
  return trainer.run();
}

Result<RunEstimate> estimate_run(const Recipe& recipe) {
  ATELIER_TRY(const auto temporary, TemporaryFolder::create());
  ATELIER_TRY(const TextSide text, open_text_side(recipe));
  ATELIER_TRY(const auto data, DataSide::open(recipe, text, temporary->path()));
  ATELIER_TRY(const auto model, open_trainable(recipe, text, data->head()));
  ATELIER_TRY(const std::vector<data::Row> rows, next_rows(data->train(), micro_rows(recipe)));
  RunEstimate estimate;
  for (const data::Row& row : rows) estimate.tokens_per_step += static_cast<int64_t>(row.ids.size());
  ATELIER_RETURN_IF_ERROR(gradients_of(*model, rows, micro_rows(recipe), 1).status());  // the first grows the arena
  const auto start = Clock::now();
  ATELIER_RETURN_IF_ERROR(gradients_of(*model, rows, micro_rows(recipe), 1).status());
  const auto num_micro = static_cast<double>(recipe.training.batch) / static_cast<double>(micro_rows(recipe));
  estimate.step_s = seconds_since(start) * num_micro;
  estimate.tokens_per_step = static_cast<int64_t>(static_cast<double>(estimate.tokens_per_step) * num_micro);
  estimate.num_parameters = model->num_parameters();
  for (const models::TrainParameter& parameter : model->parameters()) {
    estimate.num_trained += parameter.value.count();
    estimate.gradient_bytes += parameter.gradient.num_bytes();
    estimate.moment_bytes +=
        optim::state_bytes(*optim::find_optimizer(recipe.optimizer), recipe.optimizer_options, parameter.value.shape());
  }

  nn::TransformerParameters weights = model->transformer().parameters();
  nn::visit_parameters(model->spec(), weights,
                       [&](const nn::ParameterInfo&, Tensor& tensor) { estimate.weight_bytes += tensor.num_bytes(); });
  if (estimate.num_trained == estimate.num_parameters) estimate.weight_bytes = std::max(estimate.weight_bytes, 4 * estimate.num_trained);
  estimate.activation_bytes = model->memory_bytes();
  return estimate;
}

Result<std::vector<ShownRow>> first_rows(const Recipe& recipe, int64_t count) {
  ATELIER_TRY(const auto temporary, TemporaryFolder::create());
  ATELIER_TRY(const TextSide text, open_text_side(recipe));
  ATELIER_TRY(const auto data, DataSide::open(recipe, text, temporary->path()));
  const data::ObjectiveDef& objective = *data::find_objective(recipe.data.objective);
  std::vector<ShownRow> rows(static_cast<size_t>(count));
  for (ShownRow& shown : rows) {
    ATELIER_TRY(shown.row, data->train().next());
    for (const int32_t id : shown.row.ids) {
      ATELIER_TRY(std::string piece, text.tokenizer->decode({&id, 1}, false));
      shown.pieces.push_back(std::move(piece));
    }
    shown.predicts_next = objective.task == data::TaskKind::kNone && !objective.is_masked;
    shown.says = task_lines(data->head(), shown);
  }
  return rows;
}

}  // namespace atelier::train
