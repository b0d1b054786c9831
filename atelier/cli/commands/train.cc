// `atelier train RECIPE.yaml`: every training run.
#include <fmt/format.h>
#include <sys/resource.h>

#include <memory>
#include <ostream>

#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/cli/command.h"
#include "atelier/cli/interrupt.h"
#include "atelier/cli/progress.h"
#include "atelier/train/recipe.h"
#include "atelier/train/trainer.h"

namespace atelier::cli {
namespace {

struct TrainArgs {
  std::string recipe;
  std::vector<std::string> overrides;
  bool resumes = false, is_dry_run = false, shows_batch = false;
  int64_t num_rows = 1;
};

uint64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

std::string size(int64_t bytes) { return human_bytes(static_cast<uint64_t>(bytes)); }

Status dry_run(const train::Recipe& recipe, Console& console) {
  ATELIER_TRY(const train::RunEstimate e, train::estimate_run(recipe));
  const int64_t memory = e.weight_bytes + e.gradient_bytes + e.moment_bytes + e.activation_bytes;
  const double run_s = e.step_s * static_cast<double>(recipe.training.steps);
  if (console.is_json) {
    console.out << Json::object()
                       .set("parameters", e.num_parameters)
                       .set("trained_parameters", e.num_trained)
                       .set("weight_bytes", e.weight_bytes)
                       .set("gradient_bytes", e.gradient_bytes)
                       .set("moment_bytes", e.moment_bytes)
                       .set("activation_bytes", e.activation_bytes)
                       .set("memory_bytes", memory)
                       .set("tokens_per_step", e.tokens_per_step)
                       .set("step_s", e.step_s)
                       .set("run_s", run_s)
                       .dump()
                << "\n";
    return {};
  }
  console.out << fmt::format("parameters  {} ({} trained)\n", e.num_parameters, e.num_trained)
              << fmt::format("memory      {}: weights {}, gradients {}, moments {}, activations {}\n", size(memory), size(e.weight_bytes),
                             size(e.gradient_bytes), size(e.moment_bytes), size(e.activation_bytes))
              << fmt::format("time        {:.2f} s a step of {} tokens, {:.1f} min for {} steps without evaluations\n", e.step_s,
                             e.tokens_per_step, run_s / 60, recipe.training.steps);
  return {};
}

Json numbers(const auto& values) {
  Json list = Json::array();
  for (const auto value : values) list.push_back(value);
  return list;
}

// Tokens that carry loss are green, or stand in ⟦ ⟧ where there are no colours; documents begin at a bar.
void show_row(const train::ShownRow& shown, Console& console) {
  size_t t = 0;
  for (const int64_t length : shown.row.lengths) {
    console.out << fmt::format("--- document of {} tokens\n", length);
    bool is_predicted = false;  // whether the token before asks for this one
    for (int64_t i = 0; i < length; ++i, ++t) {
      if (!shown.predicts_next) is_predicted = shown.row.labels[t] >= 0;
      if (is_predicted) {
        console.out << (console.is_out_terminal ? "\x1b[32m" + shown.pieces[t] + "\x1b[0m" : "⟦" + shown.pieces[t] + "⟧");
      } else {
        console.out << shown.pieces[t];
      }
      is_predicted = shown.row.labels[t] >= 0;
    }
    if (is_predicted && shown.predicts_next) console.out << (console.is_out_terminal ? "\x1b[32m(next)\x1b[0m" : "⟦next⟧");
    console.out << "\n";
  }
  for (const std::string& line : shown.says) console.out << line << "\n";
  console.out << fmt::format("{} tokens, {} carry loss\n", shown.row.ids.size(), shown.row.num_labelled());
}

// With --json a line a row.
Status show_batch(const train::Recipe& recipe, int64_t num_rows, Console& console) {
  ATELIER_TRY(const std::vector<train::ShownRow> rows, train::first_rows(recipe, num_rows));
  for (const train::ShownRow& shown : rows) {
    if (!console.is_json) {
      show_row(shown, console);
      continue;
    }
    const data::Row& row = shown.row;
    console.out
        << Json::object().set("ids", numbers(row.ids)).set("labels", numbers(row.labels)).set("lengths", numbers(row.lengths)).dump()
        << "\n";
  }
  return {};
}

// "accuracy 0.9123, f1 0.9088"
std::string scores_text(const train::Scores& scores) {
  std::string text;
  for (const auto& [name, value] : scores) text += fmt::format("{}{} {:.4f}", text.empty() ? "" : ", ", name, value);
  return text;
}

Json scores_json(const train::Scores& scores) {
  Json json = Json::object();
  for (const auto& [name, value] : scores) json.set(name, value);
  return json;
}

// How the model that a run leaves is used.
std::string next_command(const train::Recipe& recipe, const std::string& folder) {
  switch (train::task_of(recipe)) {
    case data::TaskKind::kText:
      return "classify " + folder + " TEXT";
    case data::TaskKind::kTokens:
      return "tag " + folder + " TEXT";
    case data::TaskKind::kSpan:
      return "answer " + folder + " QUESTION --file TEXT";
    case data::TaskKind::kChoice:
      return "inspect " + folder;
    case data::TaskKind::kNone:
      break;
  }
  return "generate " + folder + " --prompt ...";
}

void print_result(const train::Recipe& recipe, const train::TrainResult& result, Console& console) {
  if (console.is_json) {
    console.out << Json::object()
                       .set("run", result.folder)
                       .set("model", result.model)
                       .set("step", result.step)
                       .set("loss", result.loss)
                       .set("start_validation_loss", result.start_loss ? Json(*result.start_loss) : Json())
                       .set("best_validation_loss", result.best_loss ? Json(*result.best_loss) : Json())
                       .set("best_step", result.best_step)
                       .set("best_scores", scores_json(result.best_scores))
                       .set("test_scores", scores_json(result.test_scores))
                       .set("stopped_early", result.stopped_early)
                       .dump()
                << "\n";
    return;
  }
  for (const train::ComparedAnswer& answer : result.answers) {
    console.out << fmt::format("--- {}\nexpected  {}\n", answer.question, answer.expected);
    if (!answer.before.empty()) console.out << fmt::format("before    {}\n", answer.before);
    console.out << fmt::format("after     {}\n", answer.after);
  }
  console.out << fmt::format("{}: {} steps, loss {:.4f}", result.folder, result.step, result.loss);
  if (result.start_loss) console.out << fmt::format(", validation {:.4f} before", *result.start_loss);
  if (result.best_loss) console.out << fmt::format(", validation {:.4f} at step {}", *result.best_loss, result.best_step);
  console.out << (result.stopped_early ? ", stopped early" : "") << "\n";
  if (!result.best_scores.empty()) console.out << "validation  " << scores_text(result.best_scores) << "\n";
  if (!result.test_scores.empty()) console.out << "test        " << scores_text(result.test_scores) << "\n";
  console.out << "try: atelier " << next_command(recipe, result.folder) << "\n";
}

Status run(const TrainArgs& args, Console& console) {
  std::vector<std::string> overrides = args.overrides;
  if (console.seed) overrides.push_back("seed=" + std::to_string(*console.seed));
  ATELIER_TRY(const train::Recipe recipe, train::read_recipe(args.recipe, overrides));
  if (args.is_dry_run) return dry_run(recipe, console);
  if (args.shows_batch) return show_batch(recipe, args.num_rows, console);
  install_interrupt_handler();
  Progress progress(console, "train", recipe.training.steps);
  train::TrainHooks hooks;
  hooks.on_step = [&](const train::StepReport& report) {
    std::string validation = report.validation_loss ? fmt::format(", validation {:.4f}", *report.validation_loss) : "";
    if (!report.scores.empty()) validation += fmt::format(", {} {:.4f}", report.scores[0].first, report.scores[0].second);
    progress.update(report.step, fmt::format("step {}, loss {:.4f}{}, {:.0f} tok/s, {}", report.step, report.loss, validation,
                                             report.tokens_per_s, human_bytes(peak_memory_bytes())));
    return !is_interrupted();
  };
  hooks.on_sample = [&](int64_t step, const std::string& text) { console.err << fmt::format("--- step {}\n{}\n", step, text); };
  ATELIER_TRY(const train::TrainResult result, train::train(recipe, args.resumes, hooks));
  print_result(recipe, result, console);
  return {};
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<TrainArgs>();
  args.positional("RECIPE", options->recipe, "a YAML file: docs/guide/train.md lists its keys, recipes/ holds examples");
  args.option("--set", options->overrides, "KEY=VALUE", "changes a key of the recipe: --set training.steps=100");
  args.flag("--resume", options->resumes, "goes on where the run's last checkpoint is");
  args.flag("--dry-run", options->is_dry_run, "prints parameters, memory and time, and trains nothing");
  args.flag("--show-batch", options->shows_batch, "prints the first row of data with what carries loss marked, and trains nothing");
  args.option("--rows", options->num_rows, "N", "of --show-batch", {1, 1 << 20});
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_train;
const CommandDef command_train = {"train", "make", "a training run described by a recipe",
                                  "atelier train recipes/shakespeare_char_cpu.yaml", declare};

}  // namespace atelier::cli
