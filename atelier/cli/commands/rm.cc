// `atelier rm NAME`: a model out of the store.
#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/cli/command.h"
#include "atelier/models/pull.h"

namespace atelier::cli {
namespace {

Status run(const std::vector<std::string>& names, Console& console) {
  for (const std::string& name : names) {
    ATELIER_TRY(const models::StoredModel model, models::remove_model(name));
    if (console.is_json) {
      console.out << Json::object().set("name", model.name).set("bytes", model.bytes).dump() << "\n";
    } else {
      console.out << fmt::format("removed {} ({})\n", model.name, human_bytes(static_cast<uint64_t>(model.bytes)));
    }
  }
  return {};
}

CommandBody declare(Args& args) {
  auto names = std::make_shared<std::vector<std::string>>();
  args.positional("NAME", *names, "models of the store, as atelier list models shows them");
  return [names](Console& console) { return run(*names, console); };
}

}  // namespace

extern const CommandDef command_rm;
const CommandDef command_rm = {"rm", "make", "remove a model from the store", "atelier rm smollm2", declare};

}  // namespace atelier::cli
