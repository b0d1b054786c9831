#include "atelier/convert/merge.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "atelier/base/strings.h"
#include "atelier/convert/folder_output.h"
#include "atelier/convert/hf_folder.h"
#include "atelier/convert/quantize.h"
#include "atelier/convert/relayout.h"
#include "atelier/io/file.h"
#include "atelier/models/adapter.h"
#include "atelier/quant/quant.h"

namespace atelier::convert {
namespace {

// The tensors of a model in its own layout, as they are and with the additions.
struct Tensors {
  std::vector<OutputTensor> base, merged;
};

// Sums over the merged matrices.
struct Squares {
  double weights = 0, additions = 0, losses = 0;
};

void add_squares(const OutputTensor& base, const OutputTensor& merged, Squares& sums) {
  const int64_t K = merged.row_length();
  const DType type = merged.info.dtype;
  const RowReader read_base = base.open(), read_merged = merged.open();
  std::vector<float> before(static_cast<size_t>(K)), after(before), stored(before);
  std::vector<uint8_t> packed(static_cast<size_t>(row_bytes(type, K)));
  for (int64_t n = 0; n < merged.num_rows(); ++n) {
    read_base(n, before.data());
    read_merged(n, after.data());
    quant::from_f32(type, after.data(), packed.data(), K);
    quant::to_f32(type, packed.data(), stored.data(), K);
    for (size_t k = 0; k < before.size(); ++k) {
      const double addition = double{after[k]} - before[k], loss = double{stored[k]} - after[k];
      sums.weights += double{before[k]} * before[k];
      sums.additions += addition * addition;
      sums.losses += loss * loss;
    }
  }
}

// `final` are the merged tensors with their types chosen.
MergeReport report_of(const std::vector<OutputTensor>& base, const std::vector<OutputTensor>& final) {
  std::map<std::string, const OutputTensor*> by_name;
  for (const OutputTensor& tensor : base) by_name[tensor.info.name] = &tensor;
  MergeReport report;
  Squares sums;
  for (const OutputTensor& tensor : final) {
    ++report.num_tensors;
    report.bytes += tensor.bytes();
    if (!tensor.is_changed) continue;
    ++report.num_merged;
    add_squares(*by_name.at(tensor.info.name), tensor, sums);
  }
  if (sums.weights > 0) report.relative_change = std::sqrt(sums.additions / sums.weights);
  if (sums.additions > 0) report.relative_loss = std::sqrt(sums.losses / sums.additions);
  return report;
}

Result<MergeReport> to_gguf(const std::string& source, const std::string& target, const Tensors& tensors, const MergeOptions& options) {
  ATELIER_TRY(GgufPlan plan, plan_gguf(source));
  std::map<std::string, const OutputTensor*> changed;
  for (const OutputTensor& tensor : tensors.merged) {
    if (tensor.is_changed) changed[tensor.info.name] = &tensor;
  }
  for (OutputTensor& tensor : plan.tensors) {
    const auto found = changed.find(tensor.info.name);
    if (found == changed.end()) continue;
    tensor.open = found->second->open;
    tensor.stored = nullptr;
    tensor.is_changed = true;
  }
  QuantizeOptions quantize;
  quantize.type = options.type.empty() ? std::string(kKeepTypes) : options.type;
  quantize.progress = options.progress;
  std::vector<OutputTensor> final = plan.tensors;
  ATELIER_TRY(const QuantizeReport written, write_plan(std::move(plan), target, quantize));
  for (size_t i = 0; i < final.size(); ++i) final[i].info.dtype = written.tensors[i].to;
  MergeReport report = report_of(tensors.base, final);
  report.notes = written.notes;
  return report;
}

bool holds_weights(const std::string& name) { return name.ends_with(".safetensors") || name.ends_with(".safetensors.index.json"); }

// The folder's other files as they are, config.json with the type that the weights now have.
Status copy_side_files(const std::string& source, DType type, const FolderOutput& folder) {
  constexpr int64_t kLargest = int64_t{256} << 20;
  ATELIER_TRY(const std::vector<std::string> names, io::list_directory(source));
  for (const std::string& name : names) {
    const std::string path = io::join_path(source, name);
    if (!io::is_file(path) || holds_weights(name)) continue;
    ATELIER_TRY(std::string text, io::read_file(path, kLargest));
    if (name == "config.json") {
      ATELIER_TRY(Json config, Json::parse(text, path));
      const char* spelled = type == DType::kF16 ? "float16" : type == DType::kBF16 ? "bfloat16" : "float32";
      config.set(config.contains("torch_dtype") ? "torch_dtype" : "dtype", spelled);
      text = config.dump(2) + "\n";
    }
    ATELIER_RETURN_IF_ERROR(folder.write(name, text));
  }
  return {};
}

Result<MergeReport> to_folder(const std::string& source, const std::string& target, Tensors tensors, const MergeOptions& options) {
  HfFolderOptions written;
  ATELIER_TRY(written.type, choose_folder_type(options.type, tensors.base));
  written.progress = options.progress;
  for (OutputTensor& tensor : tensors.merged) tensor.info.dtype = written.type;
  const MergeReport report = report_of(tensors.base, tensors.merged);
  ATELIER_TRY(FolderOutput folder, FolderOutput::create(target));
  ATELIER_RETURN_IF_ERROR(copy_side_files(source, written.type, folder));
  ATELIER_RETURN_IF_ERROR(write_hf_weights(std::move(tensors.merged), folder.partial_path(), written));
  ATELIER_RETURN_IF_ERROR(folder.commit());
  return report;
}

// What no weight of the model can hold.
Status check_mergeable(const models::Model& model, const nn::Adapter& adapter, const std::string& folder) {
  const bool has_bottlenecks =
      std::ranges::any_of(adapter.layers, [](const nn::LayerAdapter& layer) { return layer.attention.down || layer.mlp.down; });
  if (adapter.num_virtual > 0 || has_bottlenecks) {
    return Status::unsupported("merge: " + folder +
                               ": virtual tokens and bottlenecks cannot be merged into weights; run it with --adapter");
  }
  if (adapter.table || adapter.head || (adapter.embedding.a && model.spec().has_tied_head)) {
    return Status::unsupported("merge: " + folder +
                               ": its embedding or head would no longer be tied as the model's are; run it with --adapter");
  }
  return {};
}

}  // namespace

Result<MergeReport> merge_adapters(const std::string& source, const std::string& target, const std::vector<AdapterPart>& adapters,
                                   const MergeOptions& options) {
  if (adapters.empty()) return Status::invalid("merge: no adapter is given; name one with --adapter");
  ATELIER_RETURN_IF_ERROR(check_target(source, target));
  models::LoadOptions load;
  load.precision = Precision::kF32;
  load.is_to_run = false;
  ATELIER_TRY(std::unique_ptr<models::Model> loaded, models::load_model(source, load));
  const std::shared_ptr<const models::Model> model = std::move(loaded);
  const bool is_gguf = model->layout() == models::Layout::kGguf;
  if (is_gguf != target.ends_with(".gguf")) {
    return Status::invalid(is_gguf ? "merge: " + source + " is a GGUF file; the target must end with .gguf, convert it afterwards"
                                   : "merge: " + source + " is a Hugging Face folder; the target must be a folder, convert it afterwards");
  }
  auto weights = std::make_shared<ModelWeights>(weights_of(model));
  Tensors tensors;
  tensors.base = relayout(weights, model->layout());
  auto changed = std::make_shared<ModelWeights>(*weights);
  for (const AdapterPart& part : adapters) {
    ATELIER_TRY(auto adapter, models::load_adapter(*model, part.folder));
    ATELIER_RETURN_IF_ERROR(check_mergeable(*model, *adapter, part.folder));
    changed->additions.push_back({std::move(adapter), part.weight});
  }
  tensors.merged = relayout(changed, model->layout());
  return is_gguf ? to_gguf(source, target, tensors, options) : to_folder(source, target, std::move(tensors), options);
}

}  // namespace atelier::convert
