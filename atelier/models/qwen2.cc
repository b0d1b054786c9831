// Qwen1.5, Qwen2 and Qwen2.5: Llama's shape with biases on query, key and value, and an optional window on the upper layers.
//                                                                                        (Qwen Team 2024, arXiv:2407.10671)
#include "atelier/models/arch.h"
#include "atelier/models/gguf_config.h"
#include "atelier/models/hf_config.h"

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

constexpr NameRule kNames[] = {
    {"embedding", "model.embed_tokens", "token_embd"},
    {"layers.*.attention_norm", "model.layers.*.input_layernorm", "blk.*.attn_norm"},
    {"layers.*.attention.q", "model.layers.*.self_attn.q_proj", "blk.*.attn_q"},
    {"layers.*.attention.k", "model.layers.*.self_attn.k_proj", "blk.*.attn_k"},
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

extern const ArchDef arch_qwen2;
const ArchDef arch_qwen2 = {.name = "qwen2",
                            .summary = "Qwen1.5, Qwen2, Qwen2.5",
                            .paper = "Qwen Team 2024, arXiv:2407.10671",
                            .hf_classes = kClasses,
                            .gguf_name = "qwen2",
                            .from_hf = from_hf,
                            .from_gguf = from_gguf,
                            .names = kNames};

}  // namespace atelier::models
