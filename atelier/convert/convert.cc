#include "atelier/convert/convert.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "atelier/base/strings.h"
#include "atelier/convert/folder_output.h"
#include "atelier/convert/gguf_plan.h"
#include "atelier/convert/hf_config_writer.h"
#include "atelier/convert/hf_folder.h"
#include "atelier/convert/hf_side_files.h"
#include "atelier/convert/presets.h"
#include "atelier/convert/quantize.h"
#include "atelier/convert/relayout.h"
#include "atelier/io/file.h"
#include "atelier/models/model.h"

namespace atelier::convert {
namespace {

ConvertReport report_of(const QuantizeReport& report) {
  return {static_cast<int64_t>(report.tensors.size()), report.target_bytes, report.notes};
}

// --- Hugging Face folder -> GGUF

Result<ConvertReport> folder_to_gguf(const std::string& source, const std::string& target, const ConvertOptions& options) {
  QuantizeOptions quantize;
  quantize.type = options.type.empty() ? std::string(kKeepTypes) : options.type;
  quantize.progress = options.progress;
  ATELIER_TRY(const QuantizeReport report, quantize_model(source, target, quantize));
  return report_of(report);
}

// --- GGUF -> Hugging Face folder

Result<ConvertReport> gguf_to_folder(const std::string& source, const std::string& target, const ConvertOptions& options) {
  models::LoadOptions load;
  load.precision = Precision::kF32;
  load.is_to_run = false;
  ATELIER_TRY(std::unique_ptr<models::Model> loaded, models::load_model(source, load));
  const std::shared_ptr<const models::Model> model = std::move(loaded);
  const auto weights = std::make_shared<ModelWeights>(weights_of(model));
  std::vector<OutputTensor> tensors = relayout(weights, models::Layout::kHuggingFace);
  HfFolderOptions written;
  ATELIER_TRY(written.type, choose_folder_type(options.type, tensors));
  written.shard_bytes = options.shard_bytes;
  written.progress = options.progress;
  ATELIER_TRY(Json config, hf_config(model->arch(), model->spec(), written.type));
  ATELIER_TRY(FolderOutput folder, FolderOutput::create(target));
  ATELIER_RETURN_IF_ERROR(set_token_ids(*model, config));
  ATELIER_RETURN_IF_ERROR(write_hf_side_files(*model, folder.partial_path()));
  ATELIER_RETURN_IF_ERROR(folder.write("config.json", config.dump(2) + "\n"));
  ConvertReport report;
  report.num_tensors = static_cast<int64_t>(tensors.size());
  for (OutputTensor& tensor : tensors) {
    tensor.info.dtype = written.type;
    report.bytes += tensor.bytes();
  }
  ATELIER_RETURN_IF_ERROR(write_hf_weights(std::move(tensors), folder.partial_path(), written));
  ATELIER_RETURN_IF_ERROR(folder.commit());
  return report;
}

// A type that the target cannot hold is named before anything of the source is read.
Status check_type(const std::string& type, bool is_to_gguf) {
  if (type.empty()) return {};
  return is_to_gguf ? find_preset(type).status() : choose_folder_type(type, {}).status();
}

}  // namespace

Result<ConvertReport> convert_model(const std::string& source, const std::string& target, const ConvertOptions& options) {
  ATELIER_TRY(const std::shared_ptr<const format::Checkpoint> checkpoint, format::open_checkpoint(source));
  const bool is_from_gguf = checkpoint->as_gguf() != nullptr, is_to_gguf = target.ends_with(".gguf");
  if (is_from_gguf && is_to_gguf) {
    return Status::invalid("convert: " + source + " is a GGUF file already; use quantize to change its type");
  }
  if (!is_from_gguf && !is_to_gguf) {
    return Status::invalid("convert: " + source + " is a Hugging Face folder; the target must be a file that ends with .gguf");
  }
  ATELIER_RETURN_IF_ERROR(check_type(options.type, is_to_gguf));
  return is_from_gguf ? gguf_to_folder(source, target, options) : folder_to_gguf(source, target, options);
}

}  // namespace atelier::convert
