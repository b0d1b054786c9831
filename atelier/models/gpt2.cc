// GPT-2: learned positions, LayerNorm before each part, GELU (tanh), one matrix for query, key and value. Hugging Face keeps the
// original's Conv1D, whose weights are [inputs, outputs].                                  (Radford et al. 2019)
#include "atelier/models/arch.h"
#include "atelier/models/gguf_config.h"
#include "atelier/models/gpt_config.h"

namespace atelier::models {
namespace {

Result<nn::TransformerSpec> from_hf(const Json& config) {
  ATELIER_TRY(nn::TransformerSpec spec, hf_gpt_shape(config, "gpt2"));
  ATELIER_TRY(const bool scales, config.get_bool("scale_attn_weights", true));
  if (!scales) spec.attention_scale = 1;
  return spec;
}

Result<nn::TransformerSpec> from_gguf(const format::Gguf& file) {
  const GgufKeys keys(file, "gpt2");
  ATELIER_TRY(nn::TransformerSpec spec, gguf_shape(keys, "gpt2"));
  set_gpt_parts(spec);
  return spec;
}

constexpr const char* kClasses[] = {"GPT2LMHeadModel"};

constexpr NameRule kNames[] = {
    {"embedding", "transformer.wte", "token_embd"},
    {"position_embedding", "transformer.wpe", "position_embd"},
    {"layers.*.attention_norm", "transformer.h.*.ln_1", "blk.*.attn_norm"},
    {"layers.*.attention.q", "transformer.h.*.attn.c_attn", "blk.*.attn_qkv", Part::kQuery, Part::kQuery, Transform::kTranspose},
    {"layers.*.attention.k", "transformer.h.*.attn.c_attn", "blk.*.attn_qkv", Part::kKey, Part::kKey, Transform::kTranspose},
    {"layers.*.attention.v", "transformer.h.*.attn.c_attn", "blk.*.attn_qkv", Part::kValue, Part::kValue, Transform::kTranspose},
    {.logical = "layers.*.attention.o",
     .hf = "transformer.h.*.attn.c_proj",
     .gguf = "blk.*.attn_output",
     .hf_transform = Transform::kTranspose},
    {"layers.*.mlp_norm", "transformer.h.*.ln_2", "blk.*.ffn_norm"},
    {.logical = "layers.*.mlp.up", .hf = "transformer.h.*.mlp.c_fc", .gguf = "blk.*.ffn_up", .hf_transform = Transform::kTranspose},
    {.logical = "layers.*.mlp.down", .hf = "transformer.h.*.mlp.c_proj", .gguf = "blk.*.ffn_down", .hf_transform = Transform::kTranspose},
    {"final_norm", "transformer.ln_f", "output_norm"},
    {"head", "lm_head", "output"},
};

}  // namespace

extern const ArchDef arch_gpt2;
const ArchDef arch_gpt2 = {.name = "gpt2",
                           .summary = "GPT-2",
                           .paper = "Radford et al. 2019, Language Models are Unsupervised Multitask Learners",
                           .hf_classes = kClasses,
                           .gguf_name = "gpt2",
                           .from_hf = from_hf,
                           .from_gguf = from_gguf,
                           .names = kNames};

}  // namespace atelier::models
