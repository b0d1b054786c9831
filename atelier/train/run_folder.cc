#include "atelier/train/run_folder.h"

#include <chrono>
#include <filesystem>

#include "atelier/io/atomic_file.h"
#include "atelier/io/file.h"
#include "atelier/train/report.h"
#include "atelier/train/yaml.h"

namespace atelier::train {
namespace {

double wall_time_s() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

// What may change between the parts of a run: its length.
Json comparable(Json config) {
  Json training = *config.find("training");
  training.set("steps", 0);
  return config.set("training", std::move(training));
}

// The first key whose values differ.
std::string first_difference(const Json& a, const Json& b, const std::string& prefix = "") {
  for (const auto& [key, value] : a.as_object()) {
    const Json* other = b.find(key);
    if (other && *other == value) continue;
    return value.is_object() && other && other->is_object() ? first_difference(value, *other, prefix + key + ".") : prefix + key;
  }
  return prefix;
}

Status check_same(const Recipe& recipe, const std::string& path) {
  ATELIER_TRY(const std::string text, io::read_file(path));
  ATELIER_TRY(const Recipe stored, parse_recipe(text, path, {}));
  const Json now = comparable(recipe_json(recipe)), then = comparable(recipe_json(stored));
  if (now == then) return {};
  return Status::invalid("--resume: " + first_difference(now, then) + " differs from " + path +
                         "; resume with the same recipe, or set another name");
}

}  // namespace

Result<RunFolder> RunFolder::open(const Recipe& recipe, bool resumes) {
  const std::string path = io::join_path(recipe.runs, recipe.name), config = io::join_path(path, "config.yaml");
  const bool exists = io::is_file(config);
  if (exists && !resumes) {
    return Status::invalid("run: " + path + " exists already; add --resume, give another name with --set name=..., or remove it");
  }
  if (exists) ATELIER_RETURN_IF_ERROR(check_same(recipe, config));
  const bool was_there = io::is_directory(path);
  ATELIER_RETURN_IF_ERROR(io::make_directories(path));
  ATELIER_TRY(io::FileLock lock, io::FileLock::acquire(io::join_path(path, ".lock")));
  RunFolder folder(path, exists, was_there, std::move(lock));
  ATELIER_RETURN_IF_ERROR(io::make_directories(folder.checkpoints()));
  ATELIER_RETURN_IF_ERROR(io::make_directories(folder.model()));
  ATELIER_RETURN_IF_ERROR(io::write_file(config, to_yaml(recipe_json(recipe))));
  return folder;
}

void RunFolder::discard() {
  if (is_resumed_) return;
  std::error_code ignored;
  std::filesystem::remove_all(was_there_ ? io::join_path(path_, "config.yaml") : path_, ignored);
}

std::string RunFolder::checkpoints() const { return io::join_path(path_, "checkpoints"); }
std::string RunFolder::model() const { return io::join_path(path_, "model"); }
std::string RunFolder::adapter() const { return io::join_path(path_, "adapter"); }
std::string RunFolder::log_path() const { return io::join_path(path_, "log.jsonl"); }

Status RunFolder::start_log(int64_t step) {
  std::string kept;
  if (step > 0 && io::is_file(log_path())) {
    std::vector<std::string> lines;
    ATELIER_RETURN_IF_ERROR(io::LineFile::open(log_path(), lines).status());
    for (const std::string& line : lines) {
      const auto json = Json::parse(line, "log.jsonl");
      if (json.ok() && json->get_int("step", 0).ok() && json->get_int("step", 0).value() <= step) kept += line + "\n";
    }
  }
  ATELIER_RETURN_IF_ERROR(io::write_file(log_path(), kept));
  std::vector<std::string> lines;
  ATELIER_TRY(io::LineFile file, io::LineFile::open(log_path(), lines));
  log_.emplace(std::move(file));
  ATELIER_TRY(EventFile events, EventFile::create(path_, wall_time_s()));
  events_.emplace(std::move(events));
  return {};
}

Status RunFolder::log(const Json& line) {
  ATELIER_RETURN_IF_ERROR(log_->append(line.dump()));
  std::vector<std::pair<std::string, double>> scalars;
  for (const auto& [key, value] : line.as_object()) {
    if (key != "step" && value.is_number()) scalars.emplace_back(key, value.as_double());
  }
  return scalars.empty() ? Status() : events_->append(wall_time_s(), line.find("step")->as_int(), scalars);
}

Result<std::vector<Json>> RunFolder::read_log() const {
  std::vector<std::string> lines;
  ATELIER_RETURN_IF_ERROR(io::LineFile::open(log_path(), lines).status());
  std::vector<Json> log;
  for (const std::string& line : lines) {
    ATELIER_TRY(Json json, Json::parse(line, log_path()));
    log.push_back(std::move(json));
  }
  return log;
}

Status RunFolder::write_report(const Recipe& recipe) const {
  ATELIER_TRY(const std::vector<Json> log, read_log());
  return io::write_file(io::join_path(path_, "report.html"), report_html(recipe.name, log, to_yaml(recipe_json(recipe))));
}

}  // namespace atelier::train
