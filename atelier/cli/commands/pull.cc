// `atelier pull SOURCE`: a model into the store.
#include "atelier/models/pull.h"

#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <ostream>

#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/cli/interrupt.h"
#include "atelier/cli/progress.h"

namespace atelier::cli {
namespace {

struct PullArgs {
  std::string source;
  std::optional<std::string> name, hub;
  models::PullOptions options;
};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Status run(PullArgs& args, Console& console) {
  models::PullOptions& options = args.options;
  options.name = args.name.value_or("");
  options.token = environment("HF_TOKEN");
  if (const std::string hub = args.hub.value_or(environment("HF_ENDPOINT")); !hub.empty()) options.hub = hub;
  while (options.hub.ends_with('/')) options.hub.pop_back();
  Progress bar(console, "pull " + args.source, 0);
  const auto progress = [&](const std::string& file, int64_t done, int64_t total) {
    bar.set_total(total);
    bar.update(done, fmt::format("{} {}", human_bytes(static_cast<uint64_t>(done)), file));
    return !is_interrupted();
  };
  ATELIER_TRY(const models::StoredModel model, models::pull_model(args.source, options, progress));
  if (console.is_json) {
    console.out << Json::object().set("name", model.name).set("path", model.path).set("bytes", model.bytes).dump() << "\n";
  } else {
    console.out << fmt::format("{} ({}); try: atelier chat {}\n", model.name, human_bytes(static_cast<uint64_t>(model.bytes)), model.name);
  }
  return {};
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<PullArgs>();
  args.positional("SOURCE", options->source, "owner/name, owner/name:VARIANT of its GGUF files, or https://.../NAME.gguf");
  args.group("Options");
  args.option("--as", options->name, "NAME", "the model's name in the store (default the repository's or file's)");
  args.option("--revision", options->options.revision, "REV", "branch, tag or commit of the repository");
  args.option("--sha256", options->options.sha256, "HEX", "what the one file of an address must have");
  args.option("--hub", options->hub, "URL", "another hub with Hugging Face's API (default $HF_ENDPOINT); $HF_TOKEN is sent to it");
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_pull;
const CommandDef command_pull = {"pull", "make", "bring a model into the store",
                                 "atelier pull HuggingFaceTB/SmolLM2-135M-Instruct --as smollm2", declare};

}  // namespace atelier::cli
