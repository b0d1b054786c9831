#include "atelier/models/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>

#include "atelier/base/strings.h"
#include "atelier/io/file.h"

namespace atelier::models {
namespace {

bool is_gguf_name(const std::string& name) { return name.size() > 5 && equals_ignoring_case(name.substr(name.size() - 5), ".gguf"); }

// "x-00002-of-00003.gguf": a later part of a split file, reached through the first.
bool is_later_part(const std::string& name) {
  const size_t of = name.rfind("-of-");
  return of != std::string::npos && of >= 6 && name[of - 6] == '-' && parse_int(name.substr(of - 5, 5)).value_or(1) > 1;
}

Result<std::string> model_in_folder(const std::string& folder) {
  if (io::is_file(io::join_path(folder, "config.json"))) return folder;
  const std::string trained = io::join_path(folder, "model");  // of a training run: runs/NAME/model
  if (io::is_file(io::join_path(folder, "config.yaml")) && io::is_file(io::join_path(trained, "config.json"))) return trained;
  ATELIER_TRY(const std::vector<std::string> names, io::list_directory(folder));
  std::vector<std::string> found;
  for (const std::string& name : names) {
    if (is_gguf_name(name) && !is_later_part(name)) found.push_back(name);
  }
  if (found.size() == 1) return io::join_path(folder, found[0]);
  if (found.empty()) {
    return Status::not_found(fmt::format("model: {} holds no config.json and no .gguf file; name a model file or folder", folder));
  }
  return Status::invalid(
      fmt::format("model: {} holds {} GGUF files, one is expected; name one of them: {}", folder, found.size(), join(found, ", ")));
}

// Bytes of the weights beside or at `path`.
int64_t weight_bytes(const std::string& path) {
  if (io::is_file(path)) {
    const auto size = io::file_size(path);
    return size.ok() ? *size : 0;
  }
  int64_t total = 0;
  const auto names = io::list_directory(path);
  if (!names.ok()) return 0;
  for (const std::string& name : *names) {
    if (name.ends_with(".safetensors")) total += weight_bytes(io::join_path(path, name));
  }
  return total;
}

std::string without_ending(const std::string& name) { return is_gguf_name(name) ? name.substr(0, name.size() - 5) : name; }

// The name in the store that an entry of it links to, or nothing.
std::string linked_name(const std::string& path) {
  std::error_code error;
  const std::filesystem::path target = std::filesystem::read_symlink(path, error);
  return error ? "" : without_ending(target.filename().string());
}

// Where a model of the store begins: its folder or its file.
std::string entry_of(const std::string& name) {
  const std::string folder = io::join_path(store_folder(), name);
  return io::is_directory(folder) ? folder : folder + ".gguf";
}

Status not_in_store(const std::string& model) {
  std::vector<std::string> names;
  for (const StoredModel& stored : stored_models()) names.push_back(stored.name);
  const std::string nearest = nearest_name(model, names);
  std::string next = "atelier list models shows what there is; make demo brings the first one";
  if (!nearest.empty()) next = "did you mean " + nearest + "?";
  return Status::not_found(
      fmt::format("model: {}, neither a file or folder nor a name in the store {}; {}", atelier::quoted(model), store_folder(), next));
}

}  // namespace

bool is_store_name(std::string_view name) {
  const auto is_plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= 200 && name[0] != '.' && std::ranges::all_of(name, is_plain);
}

std::string store_folder() {
  if (const char* home = std::getenv("ATELIER_HOME"); home && *home) return io::join_path(home, "models");
  const char* home = std::getenv("HOME");
  return io::join_path(home && *home ? home : ".", ".local/share/atelier/models");
}

std::vector<StoredModel> stored_models() {
  std::vector<StoredModel> models;
  const std::string store = store_folder();
  const auto names = io::list_directory(store);
  if (!names.ok()) return models;
  for (const std::string& name : *names) {
    const std::string path = io::join_path(store, name);
    if (name.starts_with('.')) continue;
    if (io::is_directory(path)) {
      const auto model = model_in_folder(path);
      if (model.ok()) models.push_back({name, *model, weight_bytes(*model), linked_name(path)});
    } else if (is_gguf_name(name) && !is_later_part(name)) {
      models.push_back({without_ending(name), path, weight_bytes(path), linked_name(path)});
    }
  }
  return models;
}

Result<std::string> resolve_model_path(const std::string& model) {
  if (io::is_file(model)) return model;
  if (io::is_directory(model)) return model_in_folder(model);
  if (model.empty() || model.find('/') != std::string::npos || model.starts_with('.')) {
    return Status::not_found(fmt::format("model: {}, no such file or folder; check the path", atelier::quoted(model)));
  }
  const std::string stored = io::join_path(store_folder(), model);
  if (io::is_directory(stored)) return model_in_folder(stored);
  if (io::is_file(stored + ".gguf")) return stored + ".gguf";
  return not_in_store(model);
}

Result<StoredModel> add_alias(const std::string& alias, const std::string& model) {
  if (!is_store_name(alias)) {
    return Status::invalid(fmt::format("{}: is no name for a model; use letters, digits, '.', '_' and '-'", atelier::quoted(alias)));
  }
  const std::vector<StoredModel> models = stored_models();
  const auto named = [&](const std::string& name) { return std::ranges::find(models, name, &StoredModel::name); };
  if (named(alias) != models.end() || io::is_directory(io::join_path(store_folder(), alias))) {
    return Status::invalid(
        fmt::format("{}: the name is taken; choose another, or remove it with atelier rm {}", atelier::quoted(alias), alias));
  }
  const auto found = named(model);
  if (found == models.end()) return not_in_store(model);
  const std::string target = found->alias_of.empty() ? found->name : found->alias_of, entry = entry_of(target);
  const std::string link = io::join_path(store_folder(), io::is_directory(entry) ? alias : alias + ".gguf");
  std::error_code error;
  std::filesystem::remove(link, error);  // one whose model is gone
  std::filesystem::create_symlink(std::filesystem::path(entry).filename(), link, error);
  if (error) return Status::io(fmt::format("{}: cannot be made: {}", link, error.message()));
  return StoredModel{alias, found->path, found->bytes, target};
}

Result<StoredModel> remove_model(const std::string& name) {
  const auto remove = [](const std::string& entry) {
    std::error_code error;
    std::filesystem::remove_all(entry, error);  // of a link, the link
    return error ? Status::io(fmt::format("{}: cannot be removed: {}", entry, error.message())) : Status();
  };
  const std::vector<StoredModel> models = stored_models();
  const auto found = std::ranges::find(models, name, &StoredModel::name);
  const bool is_other_folder = is_store_name(name) && io::is_directory(io::join_path(store_folder(), name));  // that a pull left, say
  if (found == models.end() && !is_other_folder) {
    std::vector<std::string> names;
    for (const StoredModel& model : models) names.push_back(model.name);
    const std::string nearest = nearest_name(name, names);
    return Status::not_found(fmt::format("{}: is not in the store {}; {}", atelier::quoted(name), store_folder(),
                                         nearest.empty() ? "atelier list models shows what is" : "did you mean " + nearest + "?"));
  }
  for (const StoredModel& model : models) {
    if (model.alias_of == name) ATELIER_RETURN_IF_ERROR(remove(entry_of(model.name)));
  }
  ATELIER_RETURN_IF_ERROR(remove(entry_of(name)));
  return found == models.end() ? StoredModel{name, io::join_path(store_folder(), name)} : *found;
}

}  // namespace atelier::models
