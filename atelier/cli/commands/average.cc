// `atelier average RUN TARGET`: the mean of a run's last checkpoints.
#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "atelier/base/json.h"
#include "atelier/cli/command.h"
#include "atelier/train/average_checkpoints.h"

namespace atelier::cli {
namespace {

struct AverageArgs {
  std::string run, target;
  int64_t last = 5;
};

Status run(const AverageArgs& args, Console& console) {
  ATELIER_TRY(const int64_t count, train::average_checkpoints(args.run, args.last, args.target));
  if (console.is_json) {
    console.out << Json::object().set("target", args.target).set("checkpoints", count).dump() << "\n";
  } else {
    console.out << fmt::format("{}: the mean of {} checkpoint{}\n", args.target, count, count == 1 ? "" : "s");
  }
  return {};
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<AverageArgs>();
  args.positional("RUN", options->run, "a folder of a training run that kept several checkpoints (checkpoints.keep)");
  args.positional("TARGET", options->target, "the folder to write, in Hugging Face layout");
  args.option("--last", options->last, "N", "how many checkpoints", {1, 10000});
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_average;
const CommandDef command_average = {"average", "make", "the mean of a run's last checkpoints",
                                    "atelier average runs/small averaged --last 5", declare};

}  // namespace atelier::cli
