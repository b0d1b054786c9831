#include "atelier/models/pull.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "atelier/base/json.h"
#include "atelier/base/strings.h"
#include "atelier/io/file.h"
#include "atelier/io/file_lock.h"
#include "atelier/io/http_get.h"
#include "atelier/io/sha256.h"

namespace atelier::models {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxListing = int64_t{32} << 20;  // bytes of a hub's answer

struct RemoteFile {
  std::string path;  // inside the model's folder
  std::string url;
  int64_t bytes = 0;   // 0: not known
  std::string sha256;  // empty: not known
};

// Letters, digits and . _ -, none of them a dot in front: a folder of its own in the store.
bool is_name(std::string_view name) {
  const auto is_plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= 200 && name[0] != '.' && std::ranges::all_of(name, is_plain);
}

// A path that a server states: names separated by slashes, nothing that leads elsewhere.
bool is_inside(std::string_view path) {
  const auto parts = split(path, '/');
  return std::ranges::all_of(parts, [](std::string_view part) {
    return !part.empty() && part != "." && part != ".." &&
           std::ranges::none_of(part, [](char c) { return c == '\\' || static_cast<unsigned char>(c) < 0x20; });
  });
}

bool has_ending(std::string_view path, std::string_view ending) {
  return path.size() >= ending.size() && equals_ignoring_case(path.substr(path.size() - ending.size()), ending);
}
bool is_gguf(const RemoteFile& file) { return has_ending(file.path, ".gguf"); }
bool is_pickle(const RemoteFile& file) {
  return has_ending(file.path, ".bin") || has_ending(file.path, ".pt") || has_ending(file.path, ".pth");
}

// What a folder in Hugging Face layout needs, and who made it.
bool is_part_of_folder(const RemoteFile& file) {
  const std::string_view path = file.path;
  const bool is_top = path.find('/') == std::string_view::npos;
  if (!is_top) return has_ending(path, "/config.json");  // modules of sentence encoders: 1_Pooling/config.json
  constexpr std::string_view kEndings[] = {".json", ".safetensors", ".model", ".spm", ".txt", ".jinja", ".tiktoken"};
  return std::ranges::any_of(kEndings, [&](std::string_view ending) { return has_ending(path, ending); }) || path.starts_with("LICENSE") ||
         path.starts_with("NOTICE") || path == "README.md";
}

// "x-00001-of-00003.gguf" -> "x": parts of one model share it. "x.gguf" -> "x".
std::string stem_of_gguf(const std::string& path) {
  std::string stem = io::name_of(path).substr(0, io::name_of(path).size() - 5);
  const size_t of = stem.rfind("-of-");
  return of != std::string::npos && of >= 6 && stem[of - 6] == '-' ? stem.substr(0, of - 6) : stem;
}

// The GGUF files of one variant. Vision projectors ("mmproj") are no models.
Result<std::vector<RemoteFile>> choose_gguf(const std::string& source, std::vector<RemoteFile> files, const std::string& variant) {
  std::erase_if(files,
                [](const RemoteFile& file) { return !is_gguf(file) || to_lower_ascii(file.path).find("mmproj") != std::string::npos; });
  std::set<std::string> stems, chosen;
  for (const RemoteFile& file : files) {
    const std::string stem = stem_of_gguf(file.path);
    stems.insert(stem);
    if (has_ending(stem, variant)) chosen.insert(stem);
  }
  if (chosen.size() != 1) {
    return Status::invalid(fmt::format("{}: {} of its {} GGUF models {}; name one behind a colon, {}:VARIANT: {}", source, chosen.size(),
                                       stems.size(), variant.empty() ? "are there" : "end in " + atelier::quoted(variant), source,
                                       join(std::vector<std::string>(stems.begin(), stems.end()), ", ")));
  }
  std::erase_if(files, [&](const RemoteFile& file) { return stem_of_gguf(file.path) != *chosen.begin(); });
  for (RemoteFile& file : files) file.path = io::name_of(file.path);
  return files;
}

Result<std::vector<RemoteFile>> choose(const std::string& source, std::vector<RemoteFile> files, const std::string& variant) {
  if (std::ranges::any_of(files, is_gguf)) return choose_gguf(source, std::move(files), variant);
  if (!variant.empty())
    return Status::invalid(fmt::format("{}: has no GGUF files to choose {} from; leave it out", source, atelier::quoted(variant)));
  const auto is_config = [](const RemoteFile& file) { return file.path == "config.json"; };
  const auto is_weights = [](const RemoteFile& file) { return has_ending(file.path, ".safetensors"); };
  if (std::ranges::none_of(files, is_config) || std::ranges::none_of(files, is_weights)) {
    const bool has_pickle = std::ranges::any_of(files, is_pickle);
    return Status::unsupported(fmt::format("{}: holds no GGUF file and no config.json with safetensors{}; choose another repository",
                                           source, has_pickle ? " but pickle files, which can run code" : ""));
  }
  std::erase_if(files, [](const RemoteFile& file) { return !is_part_of_folder(file); });
  return files;
}

io::HttpRequest request_for(const std::string& url, const PullOptions& options) {
  io::HttpRequest request{url};
  request.is_public_only = options.is_public_only;
  if (url.starts_with(options.hub + "/")) request.trusted_origin = options.hub;
  if (!options.token.empty() && url.starts_with(options.hub + "/")) request.headers.push_back("Authorization: Bearer " + options.token);
  return request;
}

// GET /api/models/{repository}/tree/{revision}?recursive=true
Result<std::vector<RemoteFile>> list_repository(const std::string& repository, const PullOptions& options) {
  const std::string url = fmt::format("{}/api/models/{}/tree/{}?recursive=true", options.hub, repository, options.revision);
  ATELIER_TRY(const std::string body, io::http_get(request_for(url, options), kMaxListing));
  ATELIER_TRY(const Json listing, Json::parse(body, url));
  if (!listing.is_array()) return Status::corrupt(url + ": is no list of files; check --hub");
  std::vector<RemoteFile> files;
  for (const Json& entry : listing.as_array()) {
    ATELIER_TRY(const std::string type, entry.get_string("type"));
    if (type != "file") continue;
    RemoteFile file;
    ATELIER_TRY(file.path, entry.get_string("path"));
    if (!is_inside(file.path))
      return Status::corrupt(
          fmt::format("{}: lists the file {}, which is no path inside it; not trusted", url, atelier::quoted(file.path)));
    ATELIER_TRY(file.bytes, entry.get_int("size", 0));
    if (file.bytes < 0)
      return Status::corrupt(fmt::format("{}: {} has {} bytes; not trusted", url, atelier::quoted(file.path), file.bytes));
    if (const Json* lfs = entry.find("lfs")) {
      ATELIER_TRY(file.sha256, lfs->get_string("oid", ""));
    }
    file.url = fmt::format("{}/{}/resolve/{}/{}", options.hub, repository, options.revision, file.path);
    files.push_back(std::move(file));
  }
  return files;
}

// What a source brings and how the model is called unless the user says.
struct Plan {
  std::string name;
  std::vector<RemoteFile> files;

  int64_t bytes() const {
    int64_t total = 0;
    for (const RemoteFile& file : files) {
      if (file.bytes == 0) return 0;
      total += file.bytes;
    }
    return total;
  }
};

Result<Plan> plan_of_url(const std::string& url, const PullOptions& options) {
  const std::string path = url.substr(0, url.find_first_of("?#")), file = path.substr(path.rfind('/') + 1);
  if (!has_ending(file, ".gguf") || !is_name(file)) {
    return Status::invalid(fmt::format("{}: an address must end in NAME.gguf; a repository is written owner/name", url));
  }
  return Plan{file.substr(0, file.size() - 5), {{"model.gguf", url, 0, to_lower_ascii(options.sha256)}}};
}

Result<Plan> plan_of_repository(const std::string& source, const PullOptions& options) {
  const size_t colon = source.find(':');
  const std::string repository = source.substr(0, colon), variant = colon == std::string::npos ? "" : source.substr(colon + 1);
  const auto parts = split(repository, '/');
  if (parts.size() != 2 || !is_name(parts[0]) || !is_name(parts[1]) || (colon != std::string::npos && !is_name(variant))) {
    return Status::invalid(
        fmt::format("{}: is no source; write owner/name, owner/name:VARIANT or https://.../NAME.gguf", atelier::quoted(source)));
  }
  if (!options.sha256.empty()) return Status::invalid("--sha256: is for the address of one file; a hub states its own");
  ATELIER_TRY(std::vector<RemoteFile> files, list_repository(repository, options));
  ATELIER_TRY(files, choose(repository, std::move(files), variant));
  std::string name = std::string(parts[1]) + (variant.empty() ? "" : "-" + variant);
  return Plan{std::move(name), std::move(files)};
}

Status check_room(const Plan& plan, const std::string& folder) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  const int64_t bytes = plan.bytes();
  if (error || static_cast<uint64_t>(bytes) <= space.available) return {};
  return Status::out_of_range(fmt::format("{}: {} are needed, {} are free; make room or set ATELIER_HOME", plan.name,
                                          human_bytes(static_cast<uint64_t>(bytes)), human_bytes(space.available)));
}

Status fetch(const RemoteFile& file, const std::string& path, const PullOptions& options, const io::DownloadProgress& progress) {
  if (!io::is_file(path)) {
    ATELIER_RETURN_IF_ERROR(io::make_directories(io::folder_of(path)));
    ATELIER_RETURN_IF_ERROR(io::http_download(request_for(file.url, options), path, progress));
  }
  if (file.sha256.empty()) return {};
  ATELIER_TRY(const std::string digest, io::sha256_of_file(path));
  if (digest == file.sha256) return {};
  fs::remove(path);
  return Status::corrupt(fmt::format("{}: its SHA-256 is {}, must be {}; it was removed, pull it again", file.path, digest, file.sha256));
}

}  // namespace

Result<StoredModel> pull_model(const std::string& source, const PullOptions& options, const PullProgress& progress) {
  const bool is_url = source.starts_with("http://") || source.starts_with("https://");
  ATELIER_TRY(Plan plan, is_url ? plan_of_url(source, options) : plan_of_repository(source, options));
  plan.name = options.name.empty() ? to_lower_ascii(plan.name) : options.name;
  if (!is_name(plan.name))
    return Status::invalid(fmt::format("{}: is no name for a model; use letters, digits, '.', '_' and '-'", atelier::quoted(plan.name)));

  const std::string store = store_folder(), target = io::join_path(store, plan.name);
  if (fs::exists(target) || fs::exists(target + ".gguf")) {
    return Status::invalid(
        fmt::format("{}: is in the store already; atelier rm {} removes it, --as gives another name", plan.name, plan.name));
  }
  const std::string partial = io::join_path(store, "." + plan.name + ".partial");
  ATELIER_RETURN_IF_ERROR(io::make_directories(partial));
  ATELIER_TRY(const io::FileLock lock, io::FileLock::acquire(io::join_path(partial, ".lock")));
  ATELIER_RETURN_IF_ERROR(check_room(plan, partial));

  int64_t before = 0;  // bytes of the files that are there
  for (const RemoteFile& file : plan.files) {
    const std::string path = io::join_path(partial, file.path);
    const auto report = [&](int64_t done, int64_t total) {
      return !progress || progress(file.path, before + done, plan.files.size() == 1 && plan.bytes() == 0 ? total : plan.bytes());
    };
    ATELIER_RETURN_IF_ERROR(fetch(file, path, options, report));
    ATELIER_TRY(const int64_t size, io::file_size(path));
    before += size;
  }
  fs::remove(io::join_path(partial, ".lock"));
  std::error_code error;
  fs::rename(partial, target, error);
  if (error) return Status::io(fmt::format("{}: cannot be renamed: {}; check the store's folder", partial, error.message()));
  for (const StoredModel& model : stored_models()) {
    if (model.name == plan.name) return model;
  }
  return Status::corrupt(fmt::format("{}: came, but is no model; atelier rm {} removes it", plan.name, plan.name));
}

Result<StoredModel> remove_model(const std::string& name) {
  const std::string folder = io::join_path(store_folder(), name), file = folder + ".gguf";
  std::vector<std::string> names;
  for (const StoredModel& model : stored_models()) {
    names.push_back(model.name);
    if (model.name != name) continue;
    std::error_code error;
    fs::remove_all(io::is_directory(folder) ? folder : file, error);
    if (error) return Status::io(fmt::format("{}: cannot be removed: {}", model.path, error.message()));
    return model;
  }
  if (is_name(name) && io::is_directory(folder)) {  // what a pull brought and is no model
    std::error_code error;
    fs::remove_all(folder, error);
    return StoredModel{name, folder, 0};
  }
  const std::string nearest = nearest_name(name, names);
  return Status::not_found(fmt::format("{}: is not in the store {}; {}", atelier::quoted(name), store_folder(),
                                       nearest.empty() ? "atelier list models shows what is" : "did you mean " + nearest + "?"));
}

}  // namespace atelier::models
