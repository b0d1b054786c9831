#include "atelier/train/checkpoint.h"

#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <vector>

#include "atelier/base/strings.h"
#include "atelier/convert/folder_output.h"
#include "atelier/format/safetensors_writer.h"
#include "atelier/io/atomic_file.h"
#include "atelier/io/file.h"

namespace atelier::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLatest = "latest";
constexpr int64_t kOneFile = int64_t{1} << 62;  // shards of this size: a single file

struct Saved {
  std::string name;
  Tensor tensor;
};

std::vector<Saved> saved_weights(std::span<const optim::Parameter> parameters) {
  std::vector<Saved> saved;
  for (const optim::Parameter& parameter : parameters) saved.push_back({"weight/" + parameter.name, parameter.value});
  return saved;
}

std::vector<Saved> saved_tensors(const Trained& trained) {
  const auto parameters = trained.optimizer.parameters();
  std::vector<Saved> saved = saved_weights(parameters);
  for (const auto& state : trained.optimizer.states()) saved.push_back({"moment/" + state.name, state.tensor});
  if (trained.average) {
    for (size_t i = 0; i < parameters.size(); ++i) saved.push_back({"average/" + parameters[i].name, trained.average->tensors()[i]});
  }
  return saved;
}

std::vector<int64_t> dims(const Shape& shape) {
  std::vector<int64_t> out;
  for (int axis = 0; axis < shape.rank(); ++axis) out.push_back(shape[axis]);
  return out;
}

Status write_tensors(const std::string& folder, const std::vector<Saved>& saved) {
  std::vector<format::TensorInfo> infos;
  for (const Saved& entry : saved) infos.push_back({entry.name, entry.tensor.dtype(), dims(entry.tensor.shape())});
  format::SafetensorsOptions options;
  options.shard_bytes = kOneFile;
  ATELIER_TRY(const auto writer, format::create_safetensors(folder, std::move(infos), options));
  for (const Saved& entry : saved) ATELIER_RETURN_IF_ERROR(writer->write(entry.tensor.data(), entry.tensor.num_bytes()));
  return writer->finish();
}

Status read_tensors(const std::string& path, std::vector<Saved> saved) {
  ATELIER_TRY(const auto checkpoint, format::open_checkpoint(path));
  for (Saved& entry : saved) {
    ATELIER_TRY(const format::TensorEntry* found, checkpoint->get(entry.name));
    if (found->dtype != entry.tensor.dtype() || found->shape != dims(entry.tensor.shape())) {
      return Status::corrupt(path + ": " + entry.name + " is " + dtype_name(found->dtype) + ", must be " +
                             dtype_name(entry.tensor.dtype()) + " " + entry.tensor.shape().to_string() +
                             "; resume with the recipe that the run began with");
    }
    std::memcpy(entry.tensor.mutable_data(), found->data, static_cast<size_t>(found->bytes));
  }
  return {};
}

Json state_json(const TrainState& state) {
  return Json::object()
      .set("step", state.step)
      .set("data_cursor", state.data_cursor)
      .set("best_loss", state.best_loss ? Json(*state.best_loss) : Json())
      .set("best_score", state.best_score ? Json(*state.best_score) : Json())
      .set("best_step", state.best_step)
      .set("num_worse", state.num_worse);
}

Result<TrainState> state_from(const Json& json) {
  TrainState state;
  ATELIER_TRY(state.step, json.get_int("step"));
  const Json* cursor = json.find("data_cursor");
  if (!cursor) return Status::corrupt("data_cursor: is missing");
  state.data_cursor = *cursor;
  if (const Json* best = json.find("best_loss"); best && best->is_number()) state.best_loss = best->as_double();
  if (const Json* best = json.find("best_score"); best && best->is_number()) state.best_score = best->as_double();
  ATELIER_TRY(state.best_step, json.get_int("best_step"));
  ATELIER_TRY(state.num_worse, json.get_int("num_worse"));
  return state;
}

void remove_older(const std::string& folder, int64_t num_kept) {
  const std::vector<std::string> checkpoints = list_checkpoints(folder);
  std::error_code ignored;
  for (size_t i = 0; i + static_cast<size_t>(num_kept) < checkpoints.size(); ++i) fs::remove_all(checkpoints[i], ignored);
}

}  // namespace

Result<std::string> save_checkpoint(const std::string& folder, const TrainState& state, const Trained& trained, int64_t num_kept) {
  const std::string name = fmt::format("step-{:09}", state.step), path = io::join_path(folder, name);
  std::error_code ignored;
  fs::remove_all(path, ignored);  // of a run that was killed between the rename and `latest`
  ATELIER_TRY(convert::FolderOutput output, convert::FolderOutput::create(path));
  ATELIER_RETURN_IF_ERROR(write_tensors(output.partial_path(), saved_tensors(trained)));
  ATELIER_RETURN_IF_ERROR(output.write("state.json", state_json(state).dump(2) + "\n"));
  ATELIER_RETURN_IF_ERROR(output.commit());
  ATELIER_RETURN_IF_ERROR(io::write_file(io::join_path(folder, kLatest), name + "\n"));  // flushes the folder, the rename with it
  remove_older(folder, num_kept);
  return path;
}

Result<TrainState> load_checkpoint(const std::string& folder, const Trained& trained) {
  const std::string latest = io::join_path(folder, kLatest);
  if (!io::is_file(latest)) return Status::not_found("checkpoint: none in " + folder);
  ATELIER_TRY(const std::string name, io::read_file(latest, 4096));
  const std::string path = io::join_path(folder, std::string(trim_ascii(name)));
  ATELIER_TRY(const std::string text, io::read_file(io::join_path(path, "state.json")));
  ATELIER_TRY(const Json json, Json::parse(text, path + "/state.json"));
  ATELIER_TRY(TrainState state, state_from(json));
  ATELIER_RETURN_IF_ERROR(read_tensors(path, saved_tensors(trained)));
  return state;
}

std::vector<std::string> list_checkpoints(const std::string& folder) {
  std::vector<std::string> paths;
  const auto names = io::list_directory(folder);
  if (!names.ok()) return paths;
  for (const std::string& name : *names) {
    if (name.starts_with("step-") && !name.ends_with(".partial")) paths.push_back(io::join_path(folder, name));
  }
  return paths;
}

Status load_weights(const std::string& path, std::span<const optim::Parameter> parameters) {
  return read_tensors(path, saved_weights(parameters));
}

}  // namespace atelier::train
