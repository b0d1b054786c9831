#include "atelier/models/bart_config.h"

#include <cmath>

#include "atelier/models/hf_config.h"

namespace atelier::models {
namespace {

// Sizes of one stack, which is called "encoder" or "decoder".
Status read_stack(const Json& config, const std::string& stack, nn::TransformerSpec& spec) {
  ATELIER_TRY(const int64_t num_layers, config.get_int(stack + "_layers", 12));
  ATELIER_RETURN_IF_ERROR(hf_add_layers(num_layers, spec));
  ATELIER_TRY(spec.ffn_width, config.get_int(stack + "_ffn_dim", 4096));
  ATELIER_TRY(spec.num_heads, config.get_int(stack + "_attention_heads", 16));
  return hf_equal_heads(spec);
}

}  // namespace

Result<nn::TransformerSpec> hf_bart(const Json& config, const std::string& architecture, int64_t vocab_size) {
  nn::TransformerSpec spec;
  spec.architecture = architecture;
  spec.norm = nn::NormKind::kLayer;
  spec.norm_placement = nn::NormPlacement::kPost;
  spec.has_final_norm = false;
  spec.is_gated = false;
  spec.has_qkv_bias = spec.has_output_bias = spec.has_mlp_bias = true;
  spec.has_head_bias = true;
  ATELIER_TRY(spec.vocab_size, config.get_int("vocab_size", vocab_size));
  ATELIER_TRY(spec.width, config.get_int("d_model", 1024));
  ATELIER_TRY(spec.max_context, config.get_int("max_position_embeddings", 1024));
  ATELIER_TRY(const std::string activation, config.get_string("activation_function", "gelu"));
  ATELIER_TRY(spec.activation, hf_activation(activation));
  ATELIER_TRY(const bool is_scaled, config.get_bool("scale_embedding", false));
  if (is_scaled) spec.embedding_scale = std::sqrt(static_cast<float>(spec.width));
  ATELIER_TRY(spec.has_tied_head, config.get_bool("tie_word_embeddings", true));

  nn::TransformerSpec encoder = spec;
  encoder.mask = nn::MaskKind::kBidirectional;
  encoder.has_language_head = encoder.has_tied_head = encoder.has_head_bias = encoder.has_own_embedding = false;
  ATELIER_RETURN_IF_ERROR(read_stack(config, "encoder", encoder));
  ATELIER_RETURN_IF_ERROR(read_stack(config, "decoder", spec));
  spec.encoder.push_back(std::move(encoder));
  return spec;
}

Result<nn::TransformerSpec> hf_marian(const Json& config, const std::string& architecture) {
  ATELIER_TRY(nn::TransformerSpec spec, hf_bart(config, architecture, 58101));
  nn::TransformerSpec& encoder = spec.encoder[0];
  spec.position = encoder.position = nn::PositionKind::kSinusoidal;
  if (!has_two_embeddings(config)) return spec;
  encoder.has_own_embedding = true;
  ATELIER_TRY(spec.vocab_size, config.get_int("decoder_vocab_size", encoder.vocab_size));
  return spec;
}

bool has_two_embeddings(const Json& config) {
  const Result<bool> is_shared = config.get_bool("share_encoder_decoder_embeddings", true);
  return is_shared.ok() && !*is_shared;
}

}  // namespace atelier::models
