// Qwen1.5, Qwen2 and Qwen2.5: Llama's shape with biases on query, key and value, and an optional window on the upper layers.
//                                                                                        (Qwen Team 2024, arXiv:2407.10671)
#include "atelier/models/arch.h"
#include "atelier/models/gguf_config.h"
#include "atelier/models/hf_config.h"
#include "atelier/models/qwen_names.h"

namespace atelier::models {
namespace {

Result<nn::TransformerSpec> from_hf(const Json& config) {
  ATELIER_TRY(nn::TransformerSpec spec, hf_llama_shape(config, "qwen2", {.max_context = 32768}));
  ATELIER_TRY(const std::string activation, config.get_string("hidden_act", "silu"));
  ATELIER_TRY(spec.activation, hf_activation(activation));
  spec.has_qkv_bias = true;
  ATELIER_TRY(const nn::RopeSpec rope, hf_rope(config, spec, "full_attention", 10000));
  spec.ropes = {rope};
  ATELIER_RETURN_IF_ERROR(hf_upper_layer_windows(config, spec));
  return spec;
}

Result<nn::TransformerSpec> from_gguf(const format::Gguf& file) {
  const GgufKeys keys(file, "qwen2");
  ATELIER_TRY(nn::TransformerSpec spec, gguf_shape(keys, "qwen2"));
  spec.has_qkv_bias = true;
  ATELIER_TRY(const nn::RopeSpec rope, gguf_rope(keys, spec));
  spec.ropes = {rope};
  return spec;
}

constexpr const char* kClasses[] = {"Qwen2ForCausalLM"};

}  // namespace

extern const ArchDef arch_qwen2;
const ArchDef arch_qwen2 = {.name = "qwen2",
                            .summary = "Qwen1.5, Qwen2, Qwen2.5",
                            .paper = "Qwen Team 2024, arXiv:2407.10671",
                            .hf_classes = kClasses,
                            .gguf_name = "qwen2",
                            .from_hf = from_hf,
                            .from_gguf = from_gguf,
                            .names = kQwenNames};

}  // namespace atelier::models
