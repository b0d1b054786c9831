// Llama 1-3 and what is built like it: SmolLM2, Yi-1.5, and Mistral with its sliding window.
//
// Pre-norm with RMS norm, rotary positions, grouped queries, SwiGLU.       (Touvron et al. 2023, arXiv:2302.13971, 2307.09288)
#include "atelier/models/arch.h"
#include "atelier/models/gguf_config.h"
#include "atelier/models/hf_config.h"

namespace atelier::models {
namespace {

// Mistral sees 4,096 keys unless its configuration says otherwise (later versions say null: all); Llama always sees all.
Result<int64_t> mistral_window(const Json& config) {
  const Json* classes = config.find("architectures");
  const bool is_mistral = classes != nullptr && *classes == Json(Json::Array{"MistralForCausalLM"});
  if (!is_mistral) return int64_t{0};
  return config.get_int("sliding_window", config.contains("sliding_window") ? 0 : 4096);
}

Result<nn::TransformerSpec> from_hf(const Json& config) {
  ATELIER_TRY(nn::TransformerSpec spec, hf_llama_shape(config, "llama", {}));
  ATELIER_TRY(const std::string activation, config.get_string("hidden_act", "silu"));
  ATELIER_TRY(spec.activation, hf_activation(activation));
  ATELIER_TRY(spec.has_qkv_bias, config.get_bool("attention_bias", false));
  spec.has_output_bias = spec.has_qkv_bias;
  ATELIER_TRY(spec.has_mlp_bias, config.get_bool("mlp_bias", false));
  ATELIER_TRY(const nn::RopeSpec rope, hf_rope(config, spec, "full_attention", 10000));
  spec.ropes = {rope};
  ATELIER_TRY(const int64_t window, mistral_window(config));
  for (nn::LayerSpec& layer : spec.layers) layer.window = window;
  return spec;
}

Result<nn::TransformerSpec> from_gguf(const format::Gguf& file) {
  const GgufKeys keys(file, "llama");
  ATELIER_TRY(nn::TransformerSpec spec, gguf_shape(keys, "llama"));
  spec.has_qkv_bias = keys.has_tensor("blk.0.attn_q.bias");
  spec.has_output_bias = keys.has_tensor("blk.0.attn_output.bias");
  spec.has_mlp_bias = keys.has_tensor("blk.0.ffn_down.bias");
  spec.rotary_layout = kernels::RotaryLayout::kInterleaved;
  ATELIER_TRY(const nn::RopeSpec rope, gguf_rope(keys, spec));
  spec.ropes = {rope};
  ATELIER_TRY(const int64_t window, keys.get_int("attention.sliding_window", 0));
  for (nn::LayerSpec& layer : spec.layers) layer.window = window;
  return spec;
}

constexpr const char* kClasses[] = {"LlamaForCausalLM", "MistralForCausalLM"};

constexpr NameRule kNames[] = {
    {"embedding", "model.embed_tokens", "token_embd"},
    {"layers.*.attention_norm", "model.layers.*.input_layernorm", "blk.*.attn_norm"},
    {.logical = "layers.*.attention.q",
     .hf = "model.layers.*.self_attn.q_proj",
     .gguf = "blk.*.attn_q",
     .gguf_transform = Transform::kRotaryPairs},
    {.logical = "layers.*.attention.k",
     .hf = "model.layers.*.self_attn.k_proj",
     .gguf = "blk.*.attn_k",
     .gguf_transform = Transform::kRotaryPairs},
    {"layers.*.attention.v", "model.layers.*.self_attn.v_proj", "blk.*.attn_v"},
    {"layers.*.attention.o", "model.layers.*.self_attn.o_proj", "blk.*.attn_output"},
    {"layers.*.mlp_norm", "model.layers.*.post_attention_layernorm", "blk.*.ffn_norm"},
    {"layers.*.mlp.gate", "model.layers.*.mlp.gate_proj", "blk.*.ffn_gate"},
    {"layers.*.mlp.up", "model.layers.*.mlp.up_proj", "blk.*.ffn_up"},
    {"layers.*.mlp.down", "model.layers.*.mlp.down_proj", "blk.*.ffn_down"},
    {"final_norm", "model.norm", "output_norm"},
    {"head", "lm_head", "output"},
};

}  // namespace

extern const ArchDef arch_llama;
const ArchDef arch_llama = {.name = "llama",
                            .summary = "Llama 1-3, SmolLM2, Yi-1.5, Mistral",
                            .paper = "Touvron et al. 2023, arXiv:2307.09288; Llama Team 2024, arXiv:2407.21783",
                            .hf_classes = kClasses,
                            .gguf_name = "llama",
                            .from_hf = from_hf,
                            .from_gguf = from_gguf,
                            .names = kNames};

}  // namespace atelier::models
