// Gemma: embeddings scaled by sqrt(C), norms that multiply by 1 + w, GEGLU, a wide head.      (Gemma Team 2024, arXiv:2403.08295)
#include <cmath>

#include "atelier/models/arch.h"
#include "atelier/models/gguf_config.h"
#include "atelier/models/hf_config.h"

namespace atelier::models {
namespace {

void set_gemma_parts(nn::TransformerSpec& spec) {
  spec.activation = kernels::Activation::kGeluTanh;  // the first configurations say "gelu" and mean this one
  spec.embedding_scale = std::sqrt(static_cast<float>(spec.width));
}

Result<nn::TransformerSpec> from_hf(const Json& config) {
  ATELIER_TRY(
      nn::TransformerSpec spec,
      hf_llama_shape(config, "gemma", {.is_tied = true, .num_heads = 16, .num_kv_heads = 16, .head_dim = 256, .max_context = 8192}));
  ATELIER_TRY(spec.has_qkv_bias, config.get_bool("attention_bias", false));
  spec.has_output_bias = spec.has_qkv_bias;
  set_gemma_parts(spec);
  ATELIER_TRY(const nn::RopeSpec rope, hf_rope(config, spec, "full_attention", 10000));
  spec.ropes = {rope};
  return spec;
}

Result<nn::TransformerSpec> from_gguf(const format::Gguf& file) {
  const GgufKeys keys(file, "gemma");
  ATELIER_TRY(nn::TransformerSpec spec, gguf_shape(keys, "gemma"));
  set_gemma_parts(spec);
  ATELIER_TRY(const nn::RopeSpec rope, gguf_rope(keys, spec));
  spec.ropes = {rope};
  return spec;
}

constexpr const char* kClasses[] = {"GemmaForCausalLM"};

constexpr NameRule kNames[] = {
    {"embedding", "model.embed_tokens", "token_embd"},
    {.logical = "layers.*.attention_norm",
     .hf = "model.layers.*.input_layernorm",
     .gguf = "blk.*.attn_norm",
     .hf_transform = Transform::kOneLess},
    {"layers.*.attention.q", "model.layers.*.self_attn.q_proj", "blk.*.attn_q"},
    {"layers.*.attention.k", "model.layers.*.self_attn.k_proj", "blk.*.attn_k"},
    {"layers.*.attention.v", "model.layers.*.self_attn.v_proj", "blk.*.attn_v"},
    {"layers.*.attention.o", "model.layers.*.self_attn.o_proj", "blk.*.attn_output"},
    {.logical = "layers.*.mlp_norm",
     .hf = "model.layers.*.post_attention_layernorm",
     .gguf = "blk.*.ffn_norm",
     .hf_transform = Transform::kOneLess},
    {"layers.*.mlp.gate", "model.layers.*.mlp.gate_proj", "blk.*.ffn_gate"},
    {"layers.*.mlp.up", "model.layers.*.mlp.up_proj", "blk.*.ffn_up"},
    {"layers.*.mlp.down", "model.layers.*.mlp.down_proj", "blk.*.ffn_down"},
    {.logical = "final_norm", .hf = "model.norm", .gguf = "output_norm", .hf_transform = Transform::kOneLess},
    {"head", "lm_head", "output"},
};

}  // namespace

extern const ArchDef arch_gemma;
const ArchDef arch_gemma = {.name = "gemma",
                            .summary = "Gemma (first)",
                            .paper = "Gemma Team 2024, arXiv:2403.08295",
                            .hf_classes = kClasses,
                            .gguf_name = "gemma",
                            .from_hf = from_hf,
                            .from_gguf = from_gguf,
                            .names = kNames};

}  // namespace atelier::models
