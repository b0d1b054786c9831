// What BERT and RoBERTa call their parameters. "@" is the name of the body inside a model with heads.
#pragma once

#include "atelier/models/arch.h"

namespace atelier::models {

inline constexpr NameRule kBertBodyNames[] = {
    {"embedding", "@.embeddings.word_embeddings", "token_embd"},
    {"position_embedding", "@.embeddings.position_embeddings", "position_embd"},
    {"segment_embedding", "@.embeddings.token_type_embeddings", "token_types"},
    {"embedding_norm", "@.embeddings.LayerNorm", "token_embd_norm"},
    {"layers.*.attention.q", "@.encoder.layer.*.attention.self.query", "blk.*.attn_q"},
    {"layers.*.attention.k", "@.encoder.layer.*.attention.self.key", "blk.*.attn_k"},
    {"layers.*.attention.v", "@.encoder.layer.*.attention.self.value", "blk.*.attn_v"},
    {"layers.*.attention.o", "@.encoder.layer.*.attention.output.dense", "blk.*.attn_output"},
    {"layers.*.attention_norm", "@.encoder.layer.*.attention.output.LayerNorm", "blk.*.attn_output_norm"},
    {"layers.*.mlp.up", "@.encoder.layer.*.intermediate.dense", "blk.*.ffn_up"},
    {"layers.*.mlp.down", "@.encoder.layer.*.output.dense", "blk.*.ffn_down"},
    {"layers.*.mlp_norm", "@.encoder.layer.*.output.LayerNorm", "blk.*.layer_output_norm"},
    {"pooler", "@.pooler.dense", nullptr},
};

inline constexpr NameRule kRobertaHeadNames[] = {
    {"head_transform.dense", "lm_head.dense", nullptr},
    {"head_transform.norm", "lm_head.layer_norm", nullptr},
    {"head.bias", "lm_head.bias", nullptr},
    {"heads.sequence.dense", "classifier.dense", nullptr},
    {"heads.sequence", "classifier.out_proj", nullptr},
    {"heads.choice", "classifier", nullptr},
    {"heads.token", "classifier", nullptr},
    {"heads.span", "qa_outputs", nullptr},
};

}  // namespace atelier::models
