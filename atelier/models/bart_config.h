// What BART and Marian share: the keys of config.json, LayerNorms behind the sums, biases everywhere, one embedding for both stacks and the
// head, and the names of their parameters.
#pragma once

#include <string>

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/models/arch.h"

namespace atelier::models {

// The decoder, with its encoder; positions and the norm of embeddings are the caller's. `vocab_size`: where the key is absent.
Result<nn::TransformerSpec> hf_bart(const Json& config, const std::string& architecture, int64_t vocab_size);

// Marian's: sinusoids, and an encoder with an embedding of its own where the configuration shares none.
Result<nn::TransformerSpec> hf_marian(const Json& config, const std::string& architecture);
bool has_two_embeddings(const Json& config);

inline constexpr NameRule kBartNames[] = {
    {"embedding", "model.shared", nullptr},
    {"position_embedding", "model.decoder.embed_positions", nullptr},
    {"embedding_norm", "model.decoder.layernorm_embedding", nullptr},
    {"layers.*.attention_norm", "model.decoder.layers.*.self_attn_layer_norm", nullptr},
    {"layers.*.attention.q", "model.decoder.layers.*.self_attn.q_proj", nullptr},
    {"layers.*.attention.k", "model.decoder.layers.*.self_attn.k_proj", nullptr},
    {"layers.*.attention.v", "model.decoder.layers.*.self_attn.v_proj", nullptr},
    {"layers.*.attention.o", "model.decoder.layers.*.self_attn.out_proj", nullptr},
    {"layers.*.cross_norm", "model.decoder.layers.*.encoder_attn_layer_norm", nullptr},
    {"layers.*.cross_attention.q", "model.decoder.layers.*.encoder_attn.q_proj", nullptr},
    {"layers.*.cross_attention.k", "model.decoder.layers.*.encoder_attn.k_proj", nullptr},
    {"layers.*.cross_attention.v", "model.decoder.layers.*.encoder_attn.v_proj", nullptr},
    {"layers.*.cross_attention.o", "model.decoder.layers.*.encoder_attn.out_proj", nullptr},
    {"layers.*.mlp_norm", "model.decoder.layers.*.final_layer_norm", nullptr},
    {"layers.*.mlp.up", "model.decoder.layers.*.fc1", nullptr},
    {"layers.*.mlp.down", "model.decoder.layers.*.fc2", nullptr},
    {"head.bias", "final_logits_bias", nullptr},
    {"head", "lm_head", nullptr},
    {"encoder.position_embedding", "model.encoder.embed_positions", nullptr},
    {"encoder.embedding_norm", "model.encoder.layernorm_embedding", nullptr},
    {"encoder.layers.*.attention_norm", "model.encoder.layers.*.self_attn_layer_norm", nullptr},
    {"encoder.layers.*.attention.q", "model.encoder.layers.*.self_attn.q_proj", nullptr},
    {"encoder.layers.*.attention.k", "model.encoder.layers.*.self_attn.k_proj", nullptr},
    {"encoder.layers.*.attention.v", "model.encoder.layers.*.self_attn.v_proj", nullptr},
    {"encoder.layers.*.attention.o", "model.encoder.layers.*.self_attn.out_proj", nullptr},
    {"encoder.layers.*.mlp_norm", "model.encoder.layers.*.final_layer_norm", nullptr},
    {"encoder.layers.*.mlp.up", "model.encoder.layers.*.fc1", nullptr},
    {"encoder.layers.*.mlp.down", "model.encoder.layers.*.fc2", nullptr},
};

}  // namespace atelier::models
