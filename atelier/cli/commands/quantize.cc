// `atelier quantize SOURCE TARGET.gguf --type Q4_K_M`: a model in smaller types.
#include "atelier/convert/quantize.h"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <ostream>

#include "atelier/base/json.h"
#include "atelier/base/log.h"
#include "atelier/base/strings.h"
#include "atelier/cli/command.h"
#include "atelier/cli/conversion_progress.h"
#include "atelier/cli/interrupt.h"
#include "atelier/convert/measure_importance.h"
#include "atelier/convert/presets.h"
#include "atelier/io/file.h"
#include "atelier/models/store.h"

namespace atelier::cli {
namespace {

struct QuantizeArgs {
  std::string source, target;
  std::string type = "Q4_K_M";
  std::optional<std::string> importance, importance_text, importance_out;
  bool shows_tensors = false;
};

std::string preset_list() {
  std::vector<std::string> names;
  for (const convert::Preset& preset : convert::presets()) names.push_back(preset.name);
  return join(names, ", ");
}

std::string shape_text(const std::vector<int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

void print_json(const QuantizeArgs& args, const convert::QuantizeReport& report, std::ostream& out) {
  Json tensors = Json::array();
  for (const convert::TensorChange& change : report.tensors) {
    Json entry = Json::object().set("name", change.name).set("from", dtype_name(change.from)).set("to", dtype_name(change.to));
    tensors.push_back(entry.set("fallback", change.is_fallback).set("importance", change.has_importance));
  }
  Json json = Json::object().set("target", args.target).set("type", args.type).set("source_bytes", report.source_bytes);
  out << json.set("target_bytes", report.target_bytes).set("tensors", std::move(tensors)).dump() << "\n";
}

void print_summary(const QuantizeArgs& args, const convert::QuantizeReport& report, std::ostream& out) {
  std::map<std::string, int> counts;
  int num_fallbacks = 0;
  for (const convert::TensorChange& change : report.tensors) {
    if (args.shows_tensors) {
      out << fmt::format("{:<40} {:<16} {:>5} -> {:<6}{}\n", change.name, shape_text(change.shape), dtype_name(change.from),
                         dtype_name(change.to), change.is_fallback ? "  (row is no multiple of the block)" : "");
    }
    ++counts[dtype_name(change.to)];
    num_fallbacks += change.is_fallback;
  }
  std::vector<std::string> types;
  types.reserve(counts.size());
  for (const auto& [name, count] : counts) types.push_back(fmt::format("{} {}", count, name));
  out << fmt::format("{}: {} -> {}, {} tensors ({}){}\n", args.target, human_bytes(static_cast<uint64_t>(report.source_bytes)),
                     human_bytes(static_cast<uint64_t>(report.target_bytes)), report.tensors.size(), join(types, ", "),
                     num_fallbacks > 0 ? fmt::format("; {} fell back to another type, --tensors shows them", num_fallbacks) : "");
}

// Nothing when neither a matrix nor a text was given.
Result<std::optional<convert::ImportanceMatrix>> find_importance(const QuantizeArgs& args, const std::string& source, Console& console) {
  std::optional<convert::ImportanceMatrix> importance;
  if (args.importance && args.importance_text) return Status::invalid("--imatrix and --imatrix-text: only one can be given");
  if (args.importance_out && !args.importance_text) return Status::invalid("--imatrix-out needs --imatrix-text");
  if (args.importance) {
    ATELIER_TRY(importance, convert::ImportanceMatrix::load(*args.importance));
  } else if (args.importance_text) {
    ATELIER_TRY(const std::string text, io::read_file(*args.importance_text));
    ATELIER_TRY(const std::unique_ptr<models::Model> model, models::load_model(source, {}));
    Progress progress(console, "measure importance", 1);
    convert::MeasureOptions options;
    options.progress = [&progress](int64_t done, int64_t total) {
      progress.set_total(total);
      progress.update(done, std::to_string(done) + " tokens");
      return !is_interrupted();
    };
    ATELIER_TRY(importance, convert::measure_importance(*model, text, options));
    if (args.importance_out) ATELIER_RETURN_IF_ERROR(importance->save(*args.importance_out, *args.importance_text));
  }
  return importance;
}

Status run(const QuantizeArgs& args, Console& console) {
  ATELIER_TRY([[maybe_unused]] const convert::Preset* preset, convert::find_preset(args.type));
  ATELIER_TRY(const std::string source, models::resolve_model_path(args.source));
  convert::QuantizeOptions options;
  options.type = args.type;
  ATELIER_TRY(const std::optional<convert::ImportanceMatrix> importance, find_importance(args, source, console));
  if (importance) options.importance = &*importance;
  Progress progress(console, "quantize", 1);
  options.progress = conversion_progress(progress);
  ATELIER_TRY(const convert::QuantizeReport report, convert::quantize_model(source, args.target, options));
  for (const std::string& note : report.notes) log(LogLevel::kInfo, note);
  const auto print = console.is_json ? print_json : print_summary;
  print(args, report, console.out);
  return {};
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<QuantizeArgs>();
  args.positional("SOURCE", options->source, "a .gguf file, a folder in Hugging Face layout, or a name in the model store");
  args.positional("TARGET", options->target, "the .gguf file to write");
  args.option("--type", options->type, "TYPE", "one of " + preset_list());
  args.option("--imatrix", options->importance, "FILE", "importance matrix, as llama.cpp's llama-imatrix writes it");
  args.option("--imatrix-text", options->importance_text, "FILE", "measure the importance matrix on this text, with the source model");
  args.option("--imatrix-out", options->importance_out, "FILE", "keep the measured matrix, in llama.cpp's format");
  args.flag("--tensors", options->shows_tensors, "show what became of each tensor");
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_quantize;
const CommandDef command_quantize = {"quantize", "make", "weights in smaller types",
                                     "atelier quantize smollm2-135m-instruct smollm2-q8_0.gguf --type Q8_0", declare};

}  // namespace atelier::cli
