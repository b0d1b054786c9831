#include "atelier/models/hf_config.h"

#include "atelier/base/strings.h"

namespace atelier::models {
namespace {

Result<std::vector<float>> float_array(const Json& object, const char* key) {
  std::vector<float> out;
  const Json* found = object.find(key);
  if (found == nullptr || found->is_null()) return out;
  if (!found->is_array()) return Status::corrupt(std::string("config.json: ") + key + " is not an array");
  for (const Json& value : found->as_array()) {
    if (!value.is_number()) return Status::corrupt(std::string("config.json: ") + key + " holds something that is not a number");
    out.push_back(static_cast<float>(value.as_double()));
  }
  return out;
}

Result<nn::RopeScaling> scaling_from_name(const std::string& name) {
  if (name == "default" || name.empty()) return nn::RopeScaling::kNone;
  if (name == "linear") return nn::RopeScaling::kLinear;
  if (name == "dynamic") return nn::RopeScaling::kDynamic;
  if (name == "yarn") return nn::RopeScaling::kYarn;
  if (name == "llama3") return nn::RopeScaling::kLlama3;
  if (name == "longrope" || name == "su") return nn::RopeScaling::kLongRope;
  return Status::unsupported("config.json: rotary scaling " + quoted(name) +
                             " is not known; known: linear, dynamic, yarn, llama3, longrope");
}

// Reads the method's settings from `scaling` (an object of either form) into `rope`.
Status read_scaling(const Json& config, const Json& scaling, const nn::TransformerSpec& spec, nn::RopeSpec& rope) {
  ATELIER_TRY(const std::string old_type, scaling.get_string("type", "default"));
  ATELIER_TRY(const std::string type, scaling.get_string("rope_type", old_type));
  ATELIER_TRY(rope.scaling, scaling_from_name(type));
  ATELIER_TRY(const int64_t config_original, config.get_int("original_max_position_embeddings", spec.max_context));
  ATELIER_TRY(rope.original_context, scaling.get_int("original_max_position_embeddings", config_original));
  ATELIER_TRY(rope.factor, scaling.get_double("factor", 1.0));
  ATELIER_TRY(rope.attention_factor, scaling.get_double("attention_factor", 0.0));
  ATELIER_TRY(rope.low_freq_factor, scaling.get_double("low_freq_factor", 1.0));
  ATELIER_TRY(rope.high_freq_factor, scaling.get_double("high_freq_factor", 4.0));
  ATELIER_TRY(rope.beta_fast, scaling.get_double("beta_fast", 32.0));
  ATELIER_TRY(rope.beta_slow, scaling.get_double("beta_slow", 1.0));
  ATELIER_TRY(rope.mscale, scaling.get_double("mscale", 0.0));
  ATELIER_TRY(rope.mscale_all_dim, scaling.get_double("mscale_all_dim", 0.0));
  ATELIER_TRY(rope.truncate, scaling.get_bool("truncate", true));
  ATELIER_TRY(rope.short_factors, float_array(scaling, "short_factor"));
  ATELIER_TRY(rope.long_factors, float_array(scaling, "long_factor"));
  if (!rope.short_factors.empty()) rope.scaling = nn::RopeScaling::kLongRope;  // the first Phi-3 files call it "su" or "yarn"
  const bool is_stretched = rope.scaling == nn::RopeScaling::kLongRope && rope.original_context > 0;
  if (is_stretched && !scaling.contains("factor")) {
    rope.factor = static_cast<double>(spec.max_context) / static_cast<double>(rope.original_context);
  }
  return Status::ok_status();
}

// R = D * partial_rotary_factor, made even downwards.
Status read_rotary_dim(const Json& object, const nn::TransformerSpec& spec, double fallback, nn::RopeSpec& rope) {
  ATELIER_TRY(const double fraction, object.get_double("partial_rotary_factor", fallback));
  if (!(fraction > 0 && fraction <= 1)) {
    return Status::corrupt("config.json: partial_rotary_factor is " + std::to_string(fraction) + ", must be in (0, 1]");
  }
  rope.rotary_dim = static_cast<int64_t>(static_cast<double>(spec.head_dim) * fraction);
  return Status::ok_status();
}

}  // namespace

Status hf_add_layers(int64_t count, nn::TransformerSpec& spec) {
  if (count < 1 || count > 4096) return Status::corrupt("config.json: " + std::to_string(count) + " layers, must be 1 to 4096");
  spec.layers.resize(static_cast<size_t>(count));
  return Status::ok_status();
}

Status hf_equal_heads(nn::TransformerSpec& spec) {
  if (spec.num_heads < 1 || spec.width % spec.num_heads != 0) {
    return Status::corrupt("config.json: " + std::to_string(spec.num_heads) + " heads, must be positive and divide the width " +
                           std::to_string(spec.width));
  }
  spec.num_kv_heads = spec.num_heads;
  spec.head_dim = spec.width / spec.num_heads;
  return Status::ok_status();
}

Result<nn::TransformerSpec> hf_llama_shape(const Json& config, const std::string& architecture, const ShapeDefaults& defaults) {
  nn::TransformerSpec spec;
  spec.architecture = architecture;
  ATELIER_TRY(spec.vocab_size, config.get_int("vocab_size"));
  ATELIER_TRY(spec.width, config.get_int("hidden_size"));
  ATELIER_TRY(spec.ffn_width, config.get_int("intermediate_size"));
  ATELIER_TRY(spec.num_heads, config.get_int("num_attention_heads", defaults.num_heads));
  if (spec.num_heads < 1)
    return Status::corrupt("config.json: num_attention_heads is " + std::to_string(spec.num_heads) + ", must be positive");
  ATELIER_TRY(spec.num_kv_heads, config.get_int("num_key_value_heads", defaults.num_kv_heads > 0 ? defaults.num_kv_heads : spec.num_heads));
  ATELIER_TRY(spec.head_dim, config.get_int("head_dim", defaults.head_dim > 0 ? defaults.head_dim : spec.width / spec.num_heads));
  ATELIER_TRY(spec.max_context, config.get_int("max_position_embeddings", defaults.max_context));
  ATELIER_TRY(const int64_t num_layers, config.get_int("num_hidden_layers"));
  ATELIER_RETURN_IF_ERROR(hf_add_layers(num_layers, spec));
  ATELIER_TRY(const double eps, config.get_double("rms_norm_eps", defaults.norm_eps));
  spec.norm_eps = static_cast<float>(eps);
  ATELIER_TRY(spec.has_tied_head, config.get_bool("tie_word_embeddings", defaults.is_tied));
  return spec;
}

Result<nn::RopeSpec> hf_rope(const Json& config, const nn::TransformerSpec& spec, const std::string& layer_type, double theta_default) {
  const Json* parameters = config.find("rope_parameters");
  const Json* old_scaling = config.find("rope_scaling");
  const bool is_old_form = parameters == nullptr || !parameters->is_object() || (old_scaling != nullptr && old_scaling->is_object());
  if (is_old_form) {
    ATELIER_TRY(const double theta, config.get_double("rope_theta", theta_default));
    return hf_rope_old(config, spec, theta, true);
  }
  if (const Json* of_type = parameters->find(layer_type); of_type != nullptr && of_type->is_object()) parameters = of_type;
  nn::RopeSpec rope;
  ATELIER_TRY(const double config_theta, config.get_double("rope_theta", theta_default));
  ATELIER_TRY(rope.theta, parameters->get_double("rope_theta", config_theta));
  ATELIER_TRY(const double fraction, config.get_double("partial_rotary_factor", 1.0));
  ATELIER_RETURN_IF_ERROR(read_rotary_dim(*parameters, spec, fraction, rope));
  ATELIER_RETURN_IF_ERROR(read_scaling(config, *parameters, spec, rope));
  return rope;
}

Result<nn::RopeSpec> hf_rope_old(const Json& config, const nn::TransformerSpec& spec, double theta, bool scaled) {
  nn::RopeSpec rope;
  rope.theta = theta;
  ATELIER_RETURN_IF_ERROR(read_rotary_dim(config, spec, 1.0, rope));
  const Json* scaling = config.find("rope_scaling");
  if (scaled && scaling != nullptr && scaling->is_object()) ATELIER_RETURN_IF_ERROR(read_scaling(config, *scaling, spec, rope));
  return rope;
}

Result<bool> hf_layer_types(const Json& config, int64_t window, nn::TransformerSpec& spec) {
  const Json* types = config.find("layer_types");
  if (types == nullptr || types->is_null()) return false;
  if (!types->is_array() || types->as_array().size() != spec.layers.size()) {
    return Status::corrupt("config.json: layer_types must list one type for each of the " + std::to_string(spec.layers.size()) + " layers");
  }
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const Json& type = types->as_array()[i];
    const std::string name = type.is_string() ? type.as_string() : "";
    if (name != "sliding_attention" && name != "full_attention") {
      return Status::unsupported("config.json: layer type " + quoted(name) + " is not known; known: full_attention, sliding_attention");
    }
    spec.layers[i].window = name == "sliding_attention" ? window : 0;
  }
  return true;
}

Status hf_upper_layer_windows(const Json& config, nn::TransformerSpec& spec) {
  ATELIER_TRY(const bool is_used, config.get_bool("use_sliding_window", false));
  ATELIER_TRY(const int64_t window, config.get_int("sliding_window", 0));
  ATELIER_TRY(const bool has_types, hf_layer_types(config, window, spec));
  if (has_types || !is_used) return Status::ok_status();
  ATELIER_TRY(const int64_t num_full_layers, config.get_int("max_window_layers", 28));
  for (int64_t i = 0; i < spec.num_layers(); ++i) {
    if (i >= num_full_layers) spec.layers[static_cast<size_t>(i)].window = window;
  }
  return Status::ok_status();
}

Result<kernels::Activation> hf_activation(const std::string& name) {
  if (name == "silu" || name == "swish") return kernels::Activation::kSilu;
  if (name == "gelu") return kernels::Activation::kGelu;
  if (name == "gelu_new" || name == "gelu_pytorch_tanh" || name == "gelu_fast") return kernels::Activation::kGeluTanh;
  if (name == "relu") return kernels::Activation::kRelu;
  return Status::unsupported("config.json: activation " + quoted(name) +
                             " is not known; known: silu, gelu, gelu_new, gelu_pytorch_tanh, relu");
}

}  // namespace atelier::models
