// What Gemma 2 and 3 checkpoints call each parameter. Only Gemma 3 has norms of query and key; Gemma 2 never asks for their names.
#pragma once

#include "atelier/models/arch.h"

namespace atelier::models {

inline constexpr NameRule kGemmaNames[] = {
    {"embedding", "model.embed_tokens", "token_embd"},
    {.logical = "layers.*.attention_norm",
     .hf = "model.layers.*.input_layernorm",
     .gguf = "blk.*.attn_norm",
     .hf_transform = Transform::kOneLess},
    {.logical = "layers.*.attention_post_norm",
     .hf = "model.layers.*.post_attention_layernorm",
     .gguf = "blk.*.post_attention_norm",
     .hf_transform = Transform::kOneLess},
    {.logical = "layers.*.mlp_norm",
     .hf = "model.layers.*.pre_feedforward_layernorm",
     .gguf = "blk.*.ffn_norm",
     .hf_transform = Transform::kOneLess},
    {.logical = "layers.*.mlp_post_norm",
     .hf = "model.layers.*.post_feedforward_layernorm",
     .gguf = "blk.*.post_ffw_norm",
     .hf_transform = Transform::kOneLess},
    {"layers.*.attention.q", "model.layers.*.self_attn.q_proj", "blk.*.attn_q"},
    {"layers.*.attention.k", "model.layers.*.self_attn.k_proj", "blk.*.attn_k"},
    {"layers.*.attention.v", "model.layers.*.self_attn.v_proj", "blk.*.attn_v"},
    {"layers.*.attention.o", "model.layers.*.self_attn.o_proj", "blk.*.attn_output"},
    {.logical = "layers.*.attention.q_norm",
     .hf = "model.layers.*.self_attn.q_norm",
     .gguf = "blk.*.attn_q_norm",
     .hf_transform = Transform::kOneLess},
    {.logical = "layers.*.attention.k_norm",
     .hf = "model.layers.*.self_attn.k_norm",
     .gguf = "blk.*.attn_k_norm",
     .hf_transform = Transform::kOneLess},
    {"layers.*.mlp.gate", "model.layers.*.mlp.gate_proj", "blk.*.ffn_gate"},
    {"layers.*.mlp.up", "model.layers.*.mlp.up_proj", "blk.*.ffn_up"},
    {"layers.*.mlp.down", "model.layers.*.mlp.down_proj", "blk.*.ffn_down"},
    {.logical = "final_norm", .hf = "model.norm", .gguf = "output_norm", .hf_transform = Transform::kOneLess},
    {"head", "lm_head", "output"},
};

}  // namespace atelier::models
