#include "atelier/models/gpt_config.h"

#include "atelier/models/hf_config.h"

namespace atelier::models {

void set_gpt_parts(nn::TransformerSpec& spec) {
  spec.norm = nn::NormKind::kLayer;
  spec.position = nn::PositionKind::kLearned;
  spec.activation = kernels::Activation::kGeluTanh;
  spec.is_gated = false;
  spec.has_qkv_bias = spec.has_output_bias = spec.has_mlp_bias = true;
}

Result<nn::TransformerSpec> hf_gpt_shape(const Json& config, const std::string& architecture) {
  nn::TransformerSpec spec;
  spec.architecture = architecture;
  set_gpt_parts(spec);
  ATELIER_TRY(spec.vocab_size, config.get_int("vocab_size"));
  ATELIER_TRY(spec.width, config.get_int("n_embd"));
  ATELIER_TRY(spec.num_heads, config.get_int("n_head"));
  if (spec.num_heads < 1) return Status::corrupt("config.json: n_head is " + std::to_string(spec.num_heads) + ", must be positive");
  spec.num_kv_heads = spec.num_heads;
  spec.head_dim = spec.width / spec.num_heads;
  ATELIER_TRY(spec.ffn_width, config.get_int("n_inner", 4 * spec.width));
  ATELIER_TRY(spec.max_context, config.get_int("n_positions", 1024));
  ATELIER_TRY(const int64_t num_layers, config.get_int("n_layer"));
  if (num_layers < 1 || num_layers > 4096)
    return Status::corrupt("config.json: n_layer is " + std::to_string(num_layers) + ", must be 1 to 4096");
  spec.layers.resize(static_cast<size_t>(num_layers));
  ATELIER_TRY(const double eps, config.get_double("layer_norm_epsilon", 1e-5));
  spec.norm_eps = static_cast<float>(eps);
  ATELIER_TRY(spec.has_tied_head, config.get_bool("tie_word_embeddings", true));
  ATELIER_TRY(const std::string activation, config.get_string("activation_function", "gelu_new"));
  ATELIER_TRY(spec.activation, hf_activation(activation));
  return spec;
}

}  // namespace atelier::models
