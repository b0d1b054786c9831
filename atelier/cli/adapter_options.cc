#include "atelier/cli/adapter_options.h"

#include <filesystem>

#include "atelier/base/strings.h"
#include "atelier/models/adapter.h"

namespace atelier::cli {
namespace {

// What stands behind the last "=" is a weight if it is a number; a folder's name may hold that sign too.
convert::AdapterPart parse(const std::string& text) {
  const size_t sign = text.rfind('=');
  const auto weight = sign == std::string::npos ? std::nullopt : parse_double(text.substr(sign + 1));
  return weight ? convert::AdapterPart{text.substr(0, sign), static_cast<float>(*weight)} : convert::AdapterPart{text};
}

// "runs/french/" -> "french"
std::string name_of(const std::string& folder) {
  const std::filesystem::path path = std::filesystem::path(folder).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

}  // namespace

void AdapterArgs::declare(Args& args) {
  args.group("Adapters (docs/guide/adapters.md)");
  args.option("--adapter", given_, "DIR[=WEIGHT]",
              "add an adapter in PEFT's or AdapterHub's layout, or biases that were trained; repeatable: several are added up");
}

std::vector<convert::AdapterPart> AdapterArgs::parts() const {
  std::vector<convert::AdapterPart> parts;
  parts.reserve(given_.size());
  for (const std::string& text : given_) parts.push_back(parse(text));
  return parts;
}

Result<std::vector<generate::AdapterChoice>> AdapterArgs::load(const models::Model& model, generate::Engine& engine) const {
  std::vector<generate::AdapterChoice> choices;
  for (const convert::AdapterPart& given : parts()) {
    ATELIER_TRY(auto adapter, models::load_adapter(model, given.folder));
    ATELIER_RETURN_IF_ERROR(engine.add_adapter(name_of(given.folder), std::move(adapter)));
    choices.push_back({name_of(given.folder), given.weight});
  }
  return choices;
}

Result<LoadedAdapters> AdapterArgs::load(const models::Model& model) const {
  LoadedAdapters out;
  for (const convert::AdapterPart& given : parts()) {
    ATELIER_TRY(auto adapter, models::load_adapter(model, given.folder));
    out.applied.push_back({adapter.get(), given.weight});
    out.loaded.push_back(std::move(adapter));
  }
  if (const std::string reason = nn::reason_against(out.applied); !reason.empty()) return Status::invalid("adapter: " + reason);
  return out;
}

}  // namespace atelier::cli
