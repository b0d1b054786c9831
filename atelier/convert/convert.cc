#include "atelier/convert/convert.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "atelier/base/strings.h"
#include "atelier/convert/folder_output.h"
#include "atelier/convert/gguf_plan.h"
#include "atelier/convert/hf_config_writer.h"
#include "atelier/convert/hf_folder.h"
#include "atelier/convert/hf_tokenizer.h"
#include "atelier/convert/quantize.h"
#include "atelier/convert/relayout.h"
#include "atelier/io/file.h"
#include "atelier/models/model.h"
#include "atelier/models/side_files.h"

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

void set_ids(const tokenize::GgufVocabulary& vocabulary, Json& config) {
  const auto id = [](const std::optional<tokenize::TokenId>& token) { return token ? Json(static_cast<int64_t>(*token)) : Json(); };
  config.set("bos_token_id", id(vocabulary.bos)).set("eos_token_id", id(vocabulary.eos)).set("pad_token_id", id(vocabulary.pad));
}

Json generation_config(const models::GenerationDefaults& defaults, const tokenize::GgufVocabulary& vocabulary) {
  Json out = Json::object();
  set_ids(vocabulary, out);
  Json stops = Json::array();
  for (const int32_t id : defaults.stop_ids) stops.push_back(static_cast<int64_t>(id));
  if (!stops.as_array().empty()) out.set("eos_token_id", std::move(stops));
  return out;
}

// Everything but the weights. A file without a vocabulary gives a folder without a tokenizer.
Status write_side_files(const models::Model& model, Json config, const FolderOutput& folder) {
  tokenize::GgufVocabulary vocabulary;
  const format::Gguf& file = *model.checkpoint().as_gguf();
  if (file.contains("tokenizer.ggml.tokens")) {
    ATELIER_TRY(vocabulary, models::gguf_vocabulary(file));
    ATELIER_TRY(const Json tokenizer, hf_tokenizer(vocabulary, model.adds_bos()));
    ATELIER_RETURN_IF_ERROR(folder.write("tokenizer.json", tokenizer.dump(1) + "\n"));
    ATELIER_RETURN_IF_ERROR(
        folder.write("tokenizer_config.json", hf_tokenizer_config(vocabulary, model.spec().max_context).dump(2) + "\n"));
  }
  set_ids(vocabulary, config);
  if (!model.chat_template().empty()) ATELIER_RETURN_IF_ERROR(folder.write("chat_template.jinja", model.chat_template()));
  ATELIER_RETURN_IF_ERROR(folder.write("generation_config.json", generation_config(model.defaults(), vocabulary).dump(2) + "\n"));
  return folder.write("config.json", config.dump(2) + "\n");
}

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
  ATELIER_RETURN_IF_ERROR(write_side_files(*model, std::move(config), folder));
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
  return is_from_gguf ? gguf_to_folder(source, target, options) : folder_to_gguf(source, target, options);
}

}  // namespace atelier::convert
