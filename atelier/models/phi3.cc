// Phi-3: Llama's shape with query, key and value stored as one matrix, gate and up as another, longrope and a window.
//                                                                                        (Microsoft 2024, arXiv:2404.14219)
#include "atelier/models/arch.h"
#include "atelier/models/gguf_config.h"
#include "atelier/models/hf_config.h"

namespace atelier::models {
namespace {

Result<nn::TransformerSpec> from_hf(const Json& config) {
  ATELIER_TRY(nn::TransformerSpec spec, hf_llama_shape(config, "phi3", {.max_context = 4096, .norm_eps = 1e-5}));
  ATELIER_TRY(const std::string activation, config.get_string("hidden_act", "silu"));
  ATELIER_TRY(spec.activation, hf_activation(activation));
  ATELIER_TRY(const nn::RopeSpec rope, hf_rope(config, spec, "full_attention", 10000));
  spec.ropes = {rope};
  ATELIER_TRY(const int64_t window, config.get_int("sliding_window", 0));
  for (nn::LayerSpec& layer : spec.layers) layer.window = window;
  return spec;
}

Result<nn::TransformerSpec> from_gguf(const format::Gguf& file) {
  const GgufKeys keys(file, "phi3");
  ATELIER_TRY(nn::TransformerSpec spec, gguf_shape(keys, "phi3"));
  ATELIER_TRY(const nn::RopeSpec rope, gguf_rope(keys, spec));
  spec.ropes = {rope};
  ATELIER_TRY(const int64_t window, keys.get_int("attention.sliding_window", 0));
  for (nn::LayerSpec& layer : spec.layers) layer.window = window;
  return spec;
}

constexpr const char* kClasses[] = {"Phi3ForCausalLM"};

constexpr NameRule kNames[] = {
    {"embedding", "model.embed_tokens", "token_embd"},
    {"layers.*.attention_norm", "model.layers.*.input_layernorm", "blk.*.attn_norm"},
    {"layers.*.attention.q", "model.layers.*.self_attn.qkv_proj", "blk.*.attn_qkv", Part::kQuery, Part::kQuery},
    {"layers.*.attention.k", "model.layers.*.self_attn.qkv_proj", "blk.*.attn_qkv", Part::kKey, Part::kKey},
    {"layers.*.attention.v", "model.layers.*.self_attn.qkv_proj", "blk.*.attn_qkv", Part::kValue, Part::kValue},
    {"layers.*.attention.o", "model.layers.*.self_attn.o_proj", "blk.*.attn_output"},
    {"layers.*.mlp_norm", "model.layers.*.post_attention_layernorm", "blk.*.ffn_norm"},
    {"layers.*.mlp.gate", "model.layers.*.mlp.gate_up_proj", "blk.*.ffn_up", Part::kGate, Part::kGate},
    {"layers.*.mlp.up", "model.layers.*.mlp.gate_up_proj", "blk.*.ffn_up", Part::kUp, Part::kUp},
    {"layers.*.mlp.down", "model.layers.*.mlp.down_proj", "blk.*.ffn_down"},
    {"final_norm", "model.norm", "output_norm"},
    {"head", "lm_head", "output"},
};

}  // namespace

extern const ArchDef arch_phi3;
const ArchDef arch_phi3 = {.name = "phi3",
                           .summary = "Phi-3, Phi-3.5-mini, Phi-4-mini",
                           .paper = "Microsoft 2024, arXiv:2404.14219",
                           .hf_classes = kClasses,
                           .gguf_name = "phi3",
                           .from_hf = from_hf,
                           .from_gguf = from_gguf,
                           .names = kNames};

}  // namespace atelier::models
