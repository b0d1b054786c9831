// Qwen3: a norm on each head's query and key, a head width of its own, no biases.            (Qwen Team 2025, arXiv:2505.09388)
#include "atelier/models/arch.h"
#include "atelier/models/gguf_config.h"
#include "atelier/models/hf_config.h"
#include "atelier/models/qwen_names.h"

namespace atelier::models {
namespace {

Result<nn::TransformerSpec> from_hf(const Json& config) {
  ATELIER_TRY(nn::TransformerSpec spec, hf_llama_shape(config, "qwen3", {.head_dim = 128, .max_context = 32768}));
  ATELIER_TRY(const std::string activation, config.get_string("hidden_act", "silu"));
  ATELIER_TRY(spec.activation, hf_activation(activation));
  ATELIER_TRY(spec.has_qkv_bias, config.get_bool("attention_bias", false));
  spec.has_output_bias = spec.has_qkv_bias;
  spec.has_qk_norm = true;
  ATELIER_TRY(const nn::RopeSpec rope, hf_rope(config, spec, "full_attention", 10000));
  spec.ropes = {rope};
  ATELIER_RETURN_IF_ERROR(hf_upper_layer_windows(config, spec));
  return spec;
}

Result<nn::TransformerSpec> from_gguf(const format::Gguf& file) {
  const GgufKeys keys(file, "qwen3");
  ATELIER_TRY(nn::TransformerSpec spec, gguf_shape(keys, "qwen3"));
  spec.has_qk_norm = true;
  ATELIER_TRY(const nn::RopeSpec rope, gguf_rope(keys, spec));
  spec.ropes = {rope};
  return spec;
}

constexpr const char* kClasses[] = {"Qwen3ForCausalLM"};

}  // namespace

extern const ArchDef arch_qwen3;
const ArchDef arch_qwen3 = {.name = "qwen3",
                            .summary = "Qwen3 (dense)",
                            .paper = "Qwen Team 2025, arXiv:2505.09388",
                            .hf_classes = kClasses,
                            .gguf_name = "qwen3",
                            .from_hf = from_hf,
                            .from_gguf = from_gguf,
                            .names = kQwenNames};

}  // namespace atelier::models
