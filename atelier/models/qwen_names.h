// What Qwen1.5 to Qwen3 checkpoints call each parameter. Only Qwen3 has norms of query and key; the others never ask for their names.
#pragma once

#include "atelier/models/arch.h"

namespace atelier::models {

inline constexpr NameRule kQwenNames[] = {
    {"embedding", "model.embed_tokens", "token_embd"},
    {"layers.*.attention_norm", "model.layers.*.input_layernorm", "blk.*.attn_norm"},
    {"layers.*.attention.q", "model.layers.*.self_attn.q_proj", "blk.*.attn_q"},
    {"layers.*.attention.k", "model.layers.*.self_attn.k_proj", "blk.*.attn_k"},
    {"layers.*.attention.v", "model.layers.*.self_attn.v_proj", "blk.*.attn_v"},
    {"layers.*.attention.o", "model.layers.*.self_attn.o_proj", "blk.*.attn_output"},
    {"layers.*.attention.q_norm", "model.layers.*.self_attn.q_norm", "blk.*.attn_q_norm"},
    {"layers.*.attention.k_norm", "model.layers.*.self_attn.k_norm", "blk.*.attn_k_norm"},
    {"layers.*.mlp_norm", "model.layers.*.post_attention_layernorm", "blk.*.ffn_norm"},
    {"layers.*.mlp.gate", "model.layers.*.mlp.gate_proj", "blk.*.ffn_gate"},
    {"layers.*.mlp.up", "model.layers.*.mlp.up_proj", "blk.*.ffn_up"},
    {"layers.*.mlp.down", "model.layers.*.mlp.down_proj", "blk.*.ffn_down"},
    {"final_norm", "model.norm", "output_norm"},
    {"head", "lm_head", "output"},
};

}  // namespace atelier::models
