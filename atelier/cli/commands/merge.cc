// `atelier merge MODEL TARGET --adapter DIR`: adapters added into the weights.
#include "atelier/convert/merge.h"

#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "atelier/base/json.h"
#include "atelier/base/log.h"
#include "atelier/base/strings.h"
#include "atelier/cli/adapter_options.h"
#include "atelier/cli/command.h"
#include "atelier/cli/conversion_progress.h"
#include "atelier/models/store.h"

namespace atelier::cli {
namespace {

struct MergeArgs {
  std::string source, target, type;
  AdapterArgs adapters;
};

void print(const MergeArgs& args, const convert::MergeReport& report, const Console& console) {
  if (console.is_json) {
    Json json = Json::object().set("target", args.target).set("merged", report.num_merged).set("tensors", report.num_tensors);
    json.set("bytes", report.bytes).set("relative_change", report.relative_change).set("relative_loss", report.relative_loss);
    console.out << json.dump() << "\n";
    return;
  }
  console.out << fmt::format(
      "{}: {} of {} tensors merged, {}; the adapters change them by {:.3g} %, storing them loses {:.3g} % of that change\n", args.target,
      report.num_merged, report.num_tensors, human_bytes(static_cast<uint64_t>(report.bytes)), 100 * report.relative_change,
      100 * report.relative_loss);
}

Status run(const MergeArgs& args, Console& console) {
  ATELIER_TRY(const std::string source, models::resolve_model_path(args.source));
  Progress progress(console, "merge", 1);
  convert::MergeOptions options;
  options.type = args.type;
  options.progress = conversion_progress(progress);
  ATELIER_TRY(const convert::MergeReport report, convert::merge_adapters(source, args.target, args.adapters.parts(), options));
  for (const std::string& note : report.notes) log(LogLevel::kInfo, note);
  if (report.relative_loss > 0.5) {
    log(LogLevel::kWarning,
        "most of what the adapters add is lost in this type; merge with --type F16, or keep the adapters beside the model");
  }
  print(args, report, console);
  return {};
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<MergeArgs>();
  args.positional("MODEL", options->source, "a .gguf file, a folder in Hugging Face layout, or a name in the model store");
  args.positional("TARGET", options->target, "the .gguf file or folder to write, of the same kind as the model");
  args.option("--type", options->type, "TYPE", "type of the matrices; default: each keeps its own");
  options->adapters.declare(args);
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_merge;
const CommandDef command_merge = {"merge", "make", "adapters into the weights",
                                  "atelier merge smollm2-135m-instruct merged.gguf --adapter runs/pirate", declare};

}  // namespace atelier::cli
