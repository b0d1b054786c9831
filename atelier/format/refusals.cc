#include "atelier/format/refusals.h"

#include <string>

#include "atelier/base/strings.h"

namespace atelier::format {
namespace {

constexpr const char* kNoExperts = " experts: mixtures of experts are not supported; use a dense model";

Status refuse_quantized(const Json& quantization) {
  const auto method = quantization.get_string("quant_method", "unnamed");
  const std::string name = method.ok() ? *method : "unnamed";
  return Status::unsupported("quantization_config: weights packed by " + quoted(name) +
                             " are not read; use the original model, or a GGUF file of it (Q4_K_M is about as small)");
}

// One level of a configuration; multimodal ones hold the language model's inside.
Status refuse_settings(const Json& config) {
  if (const Json* quantization = config.find("quantization_config"); quantization && !quantization->is_null()) {
    return refuse_quantized(*quantization);
  }
  for (const char* key : {"num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"}) {
    ATELIER_TRY(const int64_t count, config.get_int(key, 0));
    if (count > 1) return Status::unsupported(std::string(key) + ": " + std::to_string(count) + kNoExperts);
  }
  return Status::ok_status();
}

}  // namespace

Status refuse_unsupported_config(const Json& config) {
  if (!config.is_object()) return Status::corrupt("the configuration is no JSON object");
  ATELIER_RETURN_IF_ERROR(refuse_settings(config));
  if (const Json* text_config = config.find("text_config")) {
    if (const Status status = refuse_settings(*text_config); !status.ok()) return status.with_context("text_config");
  }
  return Status::ok_status();
}

Status refuse_unsupported_gguf(const Gguf& file) {
  ATELIER_TRY(const std::string type, file.get_string("general.type", "model"));
  if (type != "model") {
    return Status::unsupported(file.path() + ": general.type is " + quoted(type) + ", want \"model\"; name the model that it belongs to");
  }
  ATELIER_TRY(const std::string architecture, file.get_string("general.architecture"));
  ATELIER_TRY(const int64_t num_experts, file.get_int(architecture + ".expert_count", 0));
  if (num_experts > 0)
    return Status::unsupported(file.path() + ": " + quoted(architecture + ".expert_count") + ": " + std::to_string(num_experts) +
                               kNoExperts);
  return Status::ok_status();
}

}  // namespace atelier::format
