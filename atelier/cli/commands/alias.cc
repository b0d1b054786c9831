// `atelier alias NAME MODEL`: a second name for a model of the store.
#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "atelier/base/json.h"
#include "atelier/cli/command.h"
#include "atelier/models/store.h"

namespace atelier::cli {
namespace {

struct AliasArgs {
  std::string name, model;
};

Status run(const AliasArgs& args, Console& console) {
  ATELIER_TRY(const models::StoredModel alias, models::add_alias(args.name, args.model));
  if (console.is_json) {
    console.out << Json::object().set("name", alias.name).set("alias_of", alias.alias_of).dump() << "\n";
  } else {
    console.out << fmt::format("{} is {}\n", alias.name, alias.alias_of);
  }
  return {};
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<AliasArgs>();
  args.positional("NAME", options->name, "the second name; atelier rm NAME takes it away again");
  args.positional("MODEL", options->model, "a model of the store, as atelier list models shows it");
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_alias;
const CommandDef command_alias = {"alias", "make", "give a model of the store a second name", "atelier alias small smollm2-135m-instruct",
                                  declare};

}  // namespace atelier::cli
