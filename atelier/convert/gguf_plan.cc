#include "atelier/convert/gguf_plan.h"

#include <algorithm>

#include "atelier/base/strings.h"
#include "atelier/convert/gguf_metadata.h"
#include "atelier/convert/gguf_tokenizer.h"
#include "atelier/convert/relayout.h"
#include "atelier/format/gguf.h"
#include "atelier/format/refusals.h"
#include "atelier/io/file.h"
#include "atelier/models/model.h"
#include "atelier/quant/quant.h"

namespace atelier::convert {
namespace {

// A tensor that goes over under its own name, as bytes unless its type changes.
OutputTensor copy_of(const format::TensorEntry& entry) {
  OutputTensor out;
  out.info = {entry.name, entry.dtype, entry.shape};
  out.stored = entry.data;
  out.stored_type = entry.dtype;
  out.open = [&entry] {
    const int64_t length = entry.shape.empty() ? 1 : entry.shape.back(), stride = row_bytes(entry.dtype, length);
    return [&entry, length, stride](int64_t row, float* values) {
      quant::to_f32(entry.dtype, static_cast<const uint8_t*>(entry.data) + row * stride, values, length);
    };
  };
  return out;
}

Result<GgufPlan> plan_of_file(const std::shared_ptr<const format::Checkpoint>& checkpoint) {
  const format::Gguf& file = *checkpoint->as_gguf();
  ATELIER_RETURN_IF_ERROR(format::refuse_unsupported_gguf(file));
  GgufPlan plan;
  plan.owner = checkpoint;
  for (const auto& [key, value] : file.metadata()) {
    if (!key.starts_with("split.") && key != "general.alignment") plan.metadata.set_value(key, value);
  }
  ATELIER_TRY(const std::string architecture, file.get_string("general.architecture"));
  ATELIER_TRY(plan.facts.num_layers, file.get_int(architecture + ".block_count"));
  ATELIER_TRY(plan.facts.num_heads, file.get_int(architecture + ".attention.head_count"));
  ATELIER_TRY(plan.facts.num_kv_heads, file.get_int(architecture + ".attention.head_count_kv", plan.facts.num_heads));
  plan.facts.has_tied_head = file.find("output.weight") == nullptr;
  if (const auto file_type = file.get_int("general.file_type"); file_type.ok()) plan.file_type = static_cast<uint32_t>(*file_type);
  for (const format::TensorEntry& entry : file.entries()) plan.tensors.push_back(copy_of(entry));
  return plan;
}

// llama.cpp reads these settings but does not follow them.
void note_what_llama_cpp_ignores(const nn::TransformerSpec& spec, GgufPlan& plan) {
  const auto has_window = [](const nn::LayerSpec& layer) { return layer.window > 0; };
  const bool is_ignored = spec.architecture == "llama" || spec.architecture == "phi3";
  if (is_ignored && std::ranges::any_of(spec.layers, has_window)) {
    plan.notes.push_back("llama.cpp ignores the sliding window of architecture " + spec.architecture + ": there, texts beyond " +
                         std::to_string(spec.layers[0].window) + " tokens give other results");
  }
}

Result<GgufPlan> plan_of_folder(const std::string& path) {
  models::LoadOptions options;
  options.precision = Precision::kF32;
  options.is_to_run = false;
  ATELIER_TRY(std::unique_ptr<models::Model> loaded, models::load_model(path, options));
  const std::shared_ptr<const models::Model> model = std::move(loaded);
  const models::ArchDef& arch = model->arch();
  const nn::TransformerSpec& spec = model->spec();
  if (arch.gguf_name == nullptr) {
    return Status::unsupported("GGUF has no architecture for " + std::string(arch.name) + "; keep the Hugging Face folder");
  }
  if (model->is_encoder() || model->has_encoder())
    return Status::unsupported("encoders are not written as GGUF; keep the Hugging Face folder");
  GgufPlan plan;
  plan.owner = model;
  plan.facts = {spec.num_layers(), spec.num_heads, spec.num_kv_heads, spec.has_tied_head, false};
  describe_spec(arch, spec, plan.metadata);
  const std::string folder = io::is_directory(path) ? path : io::folder_of(path);
  plan.metadata.set_string("general.name", io::name_of(folder));
  plan.tensors = relayout(std::make_shared<ModelWeights>(weights_of(model)), models::Layout::kGguf);
  for (OutputTensor& tensor : plan.tensors) {
    if (tensor.info.name == "position_embd.weight") tensor.info.dtype = DType::kF32;
  }
  for (OutputTensor& tensor : rope_tensors(spec)) plan.tensors.push_back(std::move(tensor));
  ATELIER_RETURN_IF_ERROR(check_reads_back(arch, spec, plan.metadata, plan.tensors));
  ATELIER_RETURN_IF_ERROR(add_tokenizer(folder, *model, plan.metadata));
  note_what_llama_cpp_ignores(spec, plan);
  return plan;
}

}  // namespace

Result<GgufPlan> plan_gguf(const std::string& source) {
  ATELIER_TRY(const std::shared_ptr<const format::Checkpoint> checkpoint, format::open_checkpoint(source));
  return checkpoint->as_gguf() != nullptr ? plan_of_file(checkpoint) : plan_of_folder(source);
}

}  // namespace atelier::convert
