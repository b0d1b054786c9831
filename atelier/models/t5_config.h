// What T5, T5 v1.1 (Flan-T5) and mT5 share: the sizes of config.json, the parts, and the names of their parameters.
#pragma once

#include <string>

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/models/arch.h"

namespace atelier::models {

// What an architecture's class assumes when a key is absent.
struct T5Defaults {
  int64_t vocab_size, ffn_width, num_layers, num_heads;
  const char* feed_forward;  // "relu"
};

// Whether config.json states a gated MLP ("gated-gelu"), which T5 v1.1 has and T5 has not.
bool has_gated_mlp(const Json& config, const char* feed_forward);

// The decoder, with its encoder. Its output is not scaled.
Result<nn::TransformerSpec> hf_t5(const Json& config, const std::string& architecture, const T5Defaults& defaults);

// T5's and v1.1's: the output is scaled by 1 / sqrt(C) where the configuration says so, or ties the head to the embedding.
Result<nn::TransformerSpec> hf_scaled_t5(const Json& config, const std::string& architecture, const T5Defaults& defaults);

// The first layer of T5's MLP, and the two of gated ones.
inline constexpr NameRule kPlainMlpNames[] = {
    {"layers.*.mlp.up", "decoder.block.*.layer.2.DenseReluDense.wi", nullptr},
    {"encoder.layers.*.mlp.up", "encoder.block.*.layer.1.DenseReluDense.wi", nullptr},
};
inline constexpr NameRule kGatedMlpNames[] = {
    {"layers.*.mlp.gate", "decoder.block.*.layer.2.DenseReluDense.wi_0", nullptr},
    {"layers.*.mlp.up", "decoder.block.*.layer.2.DenseReluDense.wi_1", nullptr},
    {"encoder.layers.*.mlp.gate", "encoder.block.*.layer.1.DenseReluDense.wi_0", nullptr},
    {"encoder.layers.*.mlp.up", "encoder.block.*.layer.1.DenseReluDense.wi_1", nullptr},
};

inline constexpr NameRule kT5Names[] = {
    {"embedding", "shared", nullptr},
    {"relative_bias", "decoder.block.0.layer.0.SelfAttention.relative_attention_bias", nullptr},
    {"layers.*.attention_norm", "decoder.block.*.layer.0.layer_norm", nullptr},
    {"layers.*.attention.q", "decoder.block.*.layer.0.SelfAttention.q", nullptr},
    {"layers.*.attention.k", "decoder.block.*.layer.0.SelfAttention.k", nullptr},
    {"layers.*.attention.v", "decoder.block.*.layer.0.SelfAttention.v", nullptr},
    {"layers.*.attention.o", "decoder.block.*.layer.0.SelfAttention.o", nullptr},
    {"layers.*.cross_norm", "decoder.block.*.layer.1.layer_norm", nullptr},
    {"layers.*.cross_attention.q", "decoder.block.*.layer.1.EncDecAttention.q", nullptr},
    {"layers.*.cross_attention.k", "decoder.block.*.layer.1.EncDecAttention.k", nullptr},
    {"layers.*.cross_attention.v", "decoder.block.*.layer.1.EncDecAttention.v", nullptr},
    {"layers.*.cross_attention.o", "decoder.block.*.layer.1.EncDecAttention.o", nullptr},
    {"layers.*.mlp_norm", "decoder.block.*.layer.2.layer_norm", nullptr},
    {"layers.*.mlp.down", "decoder.block.*.layer.2.DenseReluDense.wo", nullptr},
    {"final_norm", "decoder.final_layer_norm", nullptr},
    {"head", "lm_head", nullptr},
    {"encoder.relative_bias", "encoder.block.0.layer.0.SelfAttention.relative_attention_bias", nullptr},
    {"encoder.layers.*.attention_norm", "encoder.block.*.layer.0.layer_norm", nullptr},
    {"encoder.layers.*.attention.q", "encoder.block.*.layer.0.SelfAttention.q", nullptr},
    {"encoder.layers.*.attention.k", "encoder.block.*.layer.0.SelfAttention.k", nullptr},
    {"encoder.layers.*.attention.v", "encoder.block.*.layer.0.SelfAttention.v", nullptr},
    {"encoder.layers.*.attention.o", "encoder.block.*.layer.0.SelfAttention.o", nullptr},
    {"encoder.layers.*.mlp_norm", "encoder.block.*.layer.1.layer_norm", nullptr},
    {"encoder.layers.*.mlp.down", "encoder.block.*.layer.1.DenseReluDense.wo", nullptr},
    {"encoder.final_norm", "encoder.final_layer_norm", nullptr},
};

}  // namespace atelier::models
