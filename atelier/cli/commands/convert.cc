// `atelier convert SOURCE TARGET`: a Hugging Face folder as a GGUF file, or the other way round.
#include "atelier/convert/convert.h"

#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "atelier/base/json.h"
#include "atelier/base/log.h"
#include "atelier/base/strings.h"
#include "atelier/cli/command.h"
#include "atelier/cli/conversion_progress.h"
#include "atelier/models/store.h"

namespace atelier::cli {
namespace {

struct ConvertArgs {
  std::string source, target, type;
  int64_t shard_megabytes = 5000;
};

Status run(const ConvertArgs& args, Console& console) {
  ATELIER_TRY(const std::string source, models::resolve_model_path(args.source));
  convert::ConvertOptions options;
  options.type = args.type;
  options.shard_bytes = args.shard_megabytes * 1'000'000;
  Progress progress(console, "convert", 1);
  options.progress = conversion_progress(progress);
  ATELIER_TRY(const convert::ConvertReport report, convert::convert_model(source, args.target, options));
  for (const std::string& note : report.notes) log(LogLevel::kInfo, note);
  if (console.is_json) {
    Json json = Json::object().set("target", args.target).set("tensors", report.num_tensors).set("bytes", report.bytes);
    console.out << json.dump() << "\n";
  } else {
    console.out << fmt::format("{}: {} tensors, {}\n", args.target, report.num_tensors, human_bytes(static_cast<uint64_t>(report.bytes)));
  }
  return {};
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<ConvertArgs>();
  args.positional("SOURCE", options->source, "a folder in Hugging Face layout, a .gguf file, or a name in the model store");
  args.positional("TARGET", options->target, "what to write: a .gguf file from a folder, a folder from a .gguf file");
  args.option("--type", options->type, "TYPE",
              "types of the weights: F32, F16, BF16, or to GGUF any of quantize's (default: the source's)");
  args.option("--shard-size", options->shard_megabytes, "MB", "a folder's weights are split into files of at most this size",
              {1, 1'000'000});
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_convert;
const CommandDef command_convert = {"convert", "make", "between Hugging Face folders and GGUF files",
                                    "atelier convert smollm2-135m-instruct smollm2-hf --type F16", declare};

}  // namespace atelier::cli
