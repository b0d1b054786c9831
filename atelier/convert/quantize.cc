#include "atelier/convert/quantize.h"

#include <filesystem>

#include "atelier/base/strings.h"
#include "atelier/convert/gguf_plan.h"
#include "atelier/format/gguf_writer.h"
#include "atelier/quant/quant.h"

namespace atelier::convert {
namespace {

constexpr uint32_t kQuantizationVersion = 2;  // of the block layouts, as llama.cpp counts them

// Gives every tensor its type and its importance, and writes down what changes.
Status choose_types(const Preset* preset, const ImportanceMatrix* importance, GgufPlan& plan, QuantizeReport& report) {
  for (OutputTensor& tensor : plan.tensors) {
    const TypeChoice choice = preset != nullptr ? choose_type(*preset, plan.facts, tensor.info) : TypeChoice{tensor.info.dtype};
    TensorChange change{tensor.info.name, tensor.info.dtype, choice.type, tensor.info.shape, choice.is_fallback, false};
    report.source_bytes += tensor.bytes();
    tensor.info.dtype = choice.type;
    report.target_bytes += tensor.bytes();
    // The rows of an embedding are looked up, not multiplied: no input says which columns matter.
    const bool can_use_importance = importance != nullptr && is_quantized(choice.type) && tensor.info.name != "token_embd.weight";
    if (can_use_importance) {
      ATELIER_TRY(tensor.importance, importance->of(tensor.info.name, tensor.row_length()));
      change.has_importance = !tensor.importance.empty();
    }
    report.tensors.push_back(std::move(change));
  }
  return Status::ok_status();
}

// The number for a plan that keeps its types: that of its embedding.
uint32_t file_type_of(const GgufPlan& plan) {
  for (const Preset& preset : presets()) {
    if (preset.mixture == Mixture::kPlain && preset.type == plan.tensors[0].info.dtype) return preset.file_type;
  }
  return 0;
}

}  // namespace

Status check_target(const std::string& source, const std::string& target) {
  std::error_code error;
  if (std::filesystem::equivalent(source, target, error)) {
    return Status::invalid("source and target are the same file, " + target + "; give another name");
  }
  return Status::ok_status();
}

Result<QuantizeReport> quantize_model(const std::string& source, const std::string& target, const QuantizeOptions& options) {
  ATELIER_RETURN_IF_ERROR(check_target(source, target));
  ATELIER_TRY(GgufPlan plan, plan_gguf(source));
  return write_plan(std::move(plan), target, options);
}

Result<QuantizeReport> write_plan(GgufPlan plan, const std::string& target, const QuantizeOptions& options) {
  const Preset* preset = nullptr;
  if (options.type != kKeepTypes) {
    ATELIER_TRY(preset, find_preset(options.type));
  }
  plan.facts.has_importance = options.importance != nullptr;
  QuantizeReport report;
  report.notes = plan.notes;
  ATELIER_RETURN_IF_ERROR(choose_types(preset, options.importance, plan, report));
  plan.metadata.set_uint32("general.quantization_version", kQuantizationVersion);
  plan.metadata.set_uint32("general.file_type", preset != nullptr ? preset->file_type : plan.file_type.value_or(file_type_of(plan)));
  std::vector<format::TensorInfo> infos;
  for (const OutputTensor& tensor : plan.tensors) infos.push_back(tensor.info);
  ATELIER_TRY(const std::unique_ptr<format::CheckpointWriter> writer, format::create_gguf(target, plan.metadata, std::move(infos)));
  ATELIER_RETURN_IF_ERROR(write_tensors(plan.tensors, *writer, options.progress));
  return report;
}

}  // namespace atelier::convert
