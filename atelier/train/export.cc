#include "atelier/train/export.h"

#include <memory>

#include "atelier/convert/hf_folder.h"
#include "atelier/convert/hf_side_files.h"
#include "atelier/io/atomic_file.h"
#include "atelier/io/file.h"
#include "atelier/models/adapter_writer.h"

namespace atelier::train {
namespace {

Json id_or_null(const std::optional<tokenize::TokenId>& id) { return id ? Json(static_cast<int64_t>(*id)) : Json(); }

Json special_ids(const tokenize::Tokenizer& tokenizer) {
  // Nothing is padded here; null keeps transformers from its own default, which may lie outside the vocabulary (Phi-3).
  return Json::object()
      .set("bos_token_id", id_or_null(tokenizer.bos()))
      .set("eos_token_id", id_or_null(tokenizer.eos()))
      .set("pad_token_id", Json());
}

}  // namespace

Status export_text_side(const TextSide& text, int64_t context, const std::string& folder) {
  if (text.origin) ATELIER_RETURN_IF_ERROR(convert::write_hf_side_files(*text.origin, folder));
  if (text.learnt_json.empty()) return {};
  ATELIER_RETURN_IF_ERROR(io::write_file(io::join_path(folder, "tokenizer.json"), text.learnt_json));
  const std::string path = io::join_path(folder, "tokenizer_config.json");
  if (!text.config_json.empty()) return io::write_file(path, text.config_json);
  const Json config = Json::object().set("tokenizer_class", "PreTrainedTokenizerFast").set("model_max_length", context);
  return io::write_file(path, config.dump(2) + "\n");
}

convert::ModelWeights learned_weights(const models::TrainableModel& model) {
  convert::ModelWeights weights{&model.arch(), model.layout(), model.spec(), model.weights(), nullptr, {}};
  const auto adapter = model.adapter();
  if (!adapter) return weights;
  weights.additions.push_back({adapter, 1});
  if (adapter->embedding.a && weights.spec.has_tied_head) {  // the head is not adapted
    weights.spec.has_tied_head = false;
    weights.parameters.head.weight = weights.parameters.embedding;
  }
  return weights;
}

Status export_weights(convert::ModelWeights weights, const tokenize::Tokenizer& tokenizer, const std::string& folder) {
  convert::HfFolderOptions options;
  options.settings = special_ids(tokenizer);
  return convert::write_hf_model(std::make_shared<const convert::ModelWeights>(std::move(weights)), folder, options);
}

Status export_adapter(models::TrainableModel& model, const Recipe& recipe, const std::string& folder) {
  ATELIER_RETURN_IF_ERROR(io::make_directories(folder));
  return models::save_adapter(model, {.base_model = recipe.model.from}, folder);
}

}  // namespace atelier::train
