#include "atelier/train/average_checkpoints.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "atelier/convert/folder_output.h"
#include "atelier/convert/hf_side_files.h"
#include "atelier/io/file.h"
#include "atelier/models/model.h"
#include "atelier/models/store.h"
#include "atelier/optim/average.h"
#include "atelier/train/checkpoint.h"
#include "atelier/train/export.h"
#include "atelier/train/recipe.h"

namespace atelier::train {
namespace {

// The order of rows in a run's checkpoints: that of the file it started from.
Result<models::Layout> layout_of(const Recipe& recipe) {
  if (recipe.model.from.empty()) return models::Layout::kHuggingFace;
  ATELIER_TRY(const std::string path, models::resolve_model_path(recipe.model.from));
  return path.ends_with(".gguf") ? models::Layout::kGguf : models::Layout::kHuggingFace;
}

// Leaves the mean in the parameters' values.
Status average(const std::vector<std::string>& checkpoints, const std::vector<optim::Parameter>& parameters) {
  std::optional<optim::WeightAverage> mean;
  for (size_t n = 0; n < checkpoints.size(); ++n) {
    ATELIER_RETURN_IF_ERROR(load_weights(checkpoints[n], parameters));
    if (!mean) mean.emplace(parameters);
    mean->update(parameters, 1 / static_cast<double>(n + 1));
  }
  mean->swap_with(parameters);
  return {};
}

}  // namespace

Result<int64_t> average_checkpoints(const std::string& folder, int64_t count, const std::string& target) {
  const std::string config = io::join_path(folder, "config.yaml");
  if (!io::is_file(config))
    return Status::not_found("average: " + folder + " is no run, it has no config.yaml; give a folder like runs/NAME");
  ATELIER_TRY(const Recipe recipe, read_recipe(config, {}));
  if (has_adapter(recipe)) {
    return Status::unsupported("average: " + folder +
                               " trained additions, whose products are not linear in them; average full runs, or weigh"
                               " adapters with --adapter");
  }
  std::vector<std::string> checkpoints = list_checkpoints(io::join_path(folder, "checkpoints"));
  if (checkpoints.empty()) return Status::not_found("average: no checkpoint in " + folder + "; train with checkpoints.every");
  checkpoints.erase(checkpoints.begin(), checkpoints.end() - std::min<int64_t>(count, static_cast<int64_t>(checkpoints.size())));

  models::LoadOptions load;
  load.is_to_run = false;
  ATELIER_TRY(const auto model, models::load_model(io::join_path(folder, "model"), load));
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model->tokenizer());
  convert::ModelWeights weights{&model->arch(), models::Layout::kHuggingFace, model->spec(), {}, nullptr, {}};
  ATELIER_TRY(weights.layout, layout_of(recipe));
  std::vector<optim::Parameter> parameters;
  nn::visit_parameters(weights.spec, weights.parameters, [&](const nn::ParameterInfo& info, Tensor& tensor) {
    tensor = Tensor::zeros(DType::kF32, info.shape);
    parameters.push_back({info.name, tensor, {}});
  });
  ATELIER_RETURN_IF_ERROR(average(checkpoints, parameters));
  if (weights.spec.has_tied_head) weights.parameters.head.weight = weights.parameters.embedding;

  ATELIER_TRY(convert::FolderOutput output, convert::FolderOutput::create(target));
  ATELIER_RETURN_IF_ERROR(convert::write_hf_side_files(*model, output.partial_path()));
  ATELIER_RETURN_IF_ERROR(export_weights(std::move(weights), *tokenizer, output.partial_path()));
  ATELIER_RETURN_IF_ERROR(output.commit());
  return static_cast<int64_t>(checkpoints.size());
}

}  // namespace atelier::train
