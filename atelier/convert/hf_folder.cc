#include "atelier/convert/hf_folder.h"

#include <optional>

#include "atelier/base/strings.h"
#include "atelier/convert/hf_config_writer.h"
#include "atelier/format/safetensors_writer.h"
#include "atelier/io/atomic_file.h"
#include "atelier/io/file.h"

namespace atelier::convert {

namespace {

bool is_float(DType dtype) { return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16; }

}  // namespace

Result<DType> choose_folder_type(const std::string& asked, const std::vector<OutputTensor>& tensors) {
  if (!asked.empty()) {
    const std::optional<DType> type = dtype_from_name(asked);
    if (type && is_float(*type)) return *type;
    return Status::invalid("a Hugging Face folder cannot hold type " + quoted(asked) + "; use F32, F16 or BF16");
  }
  std::optional<DType> common;
  for (const OutputTensor& tensor : tensors) {
    if (tensor.info.shape.size() < 2) continue;
    if (!is_float(tensor.info.dtype) || (common && *common != tensor.info.dtype)) return DType::kF32;
    common = tensor.info.dtype;
  }
  return common.value_or(DType::kF32);
}

Status write_hf_weights(std::vector<OutputTensor> tensors, const std::string& folder, const HfFolderOptions& options) {
  std::vector<format::TensorInfo> infos;
  for (OutputTensor& tensor : tensors) {
    tensor.info.dtype = options.type;
    infos.push_back(tensor.info);
  }
  format::SafetensorsOptions safetensors;
  safetensors.shard_bytes = options.shard_bytes;
  ATELIER_TRY(const auto writer, format::create_safetensors(folder, std::move(infos), safetensors));
  return write_tensors(tensors, *writer, options.progress);
}

Status write_hf_model(const std::shared_ptr<const ModelWeights>& model, const std::string& folder, const HfFolderOptions& options) {
  ATELIER_TRY(Json config, hf_config(*model->arch, model->spec, options.type));
  for (const auto& [key, value] : options.settings.as_object()) config.set(key, value);
  ATELIER_RETURN_IF_ERROR(write_hf_weights(relayout(model, models::Layout::kHuggingFace), folder, options));
  return io::write_file(io::join_path(folder, "config.json"), config.dump(2) + "\n");
}

}  // namespace atelier::convert
