#include "atelier/models/t5_config.h"

#include <cmath>

#include "atelier/base/strings.h"
#include "atelier/models/hf_config.h"

namespace atelier::models {
namespace {

// "relu", "gated-gelu" (whose GELU is the tanh form), "gated-silu".
Status read_feed_forward(const std::string& name, nn::TransformerSpec& spec) {
  constexpr std::string_view kGated = "gated-";
  spec.is_gated = name.starts_with(kGated);
  if (name == "gated-gelu") {
    spec.activation = kernels::Activation::kGeluTanh;
    return {};
  }
  ATELIER_TRY(spec.activation, hf_activation(spec.is_gated ? name.substr(kGated.size()) : name));
  return {};
}

}  // namespace

bool has_gated_mlp(const Json& config, const char* feed_forward) {
  const Result<std::string> name = config.get_string("feed_forward_proj", feed_forward);
  return name.ok() && name->starts_with("gated-");
}

Result<nn::TransformerSpec> hf_t5(const Json& config, const std::string& architecture, const T5Defaults& defaults) {
  nn::TransformerSpec spec;
  spec.architecture = architecture;
  spec.position = nn::PositionKind::kRelative;
  spec.attention_scale = 1;  // 1 / sqrt(D) is in the weights
  ATELIER_TRY(spec.vocab_size, config.get_int("vocab_size", defaults.vocab_size));
  ATELIER_TRY(spec.width, config.get_int("d_model", 512));
  ATELIER_TRY(spec.head_dim, config.get_int("d_kv", 64));
  ATELIER_TRY(spec.ffn_width, config.get_int("d_ff", defaults.ffn_width));
  ATELIER_TRY(spec.num_heads, config.get_int("num_heads", defaults.num_heads));
  spec.num_kv_heads = spec.num_heads;
  ATELIER_TRY(spec.max_context, config.get_int("n_positions", 512));
  ATELIER_TRY(spec.num_buckets, config.get_int("relative_attention_num_buckets", 32));
  ATELIER_TRY(spec.max_distance, config.get_int("relative_attention_max_distance", 128));
  ATELIER_TRY(const double eps, config.get_double("layer_norm_epsilon", 1e-6));
  spec.norm_eps = static_cast<float>(eps);
  ATELIER_TRY(const std::string feed_forward, config.get_string("feed_forward_proj", defaults.feed_forward));
  ATELIER_RETURN_IF_ERROR(read_feed_forward(feed_forward, spec));
  ATELIER_TRY(spec.has_tied_head, config.get_bool("tie_word_embeddings", true));

  nn::TransformerSpec encoder = spec;
  encoder.mask = nn::MaskKind::kBidirectional;
  encoder.has_language_head = encoder.has_tied_head = encoder.has_own_embedding = false;
  ATELIER_TRY(const int64_t num_layers, config.get_int("num_layers", defaults.num_layers));
  ATELIER_RETURN_IF_ERROR(hf_add_layers(num_layers, encoder));
  ATELIER_TRY(const int64_t num_decoder_layers, config.get_int("num_decoder_layers", num_layers));
  ATELIER_RETURN_IF_ERROR(hf_add_layers(num_decoder_layers, spec));
  spec.encoder.push_back(std::move(encoder));
  return spec;
}

Result<nn::TransformerSpec> hf_scaled_t5(const Json& config, const std::string& architecture, const T5Defaults& defaults) {
  ATELIER_TRY(nn::TransformerSpec spec, hf_t5(config, architecture, defaults));
  ATELIER_TRY(const bool is_scaled, config.get_bool("scale_decoder_outputs", spec.has_tied_head));
  if (is_scaled) spec.output_scale = 1 / std::sqrt(static_cast<float>(spec.width));
  return spec;
}

}  // namespace atelier::models
