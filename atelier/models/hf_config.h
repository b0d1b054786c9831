// What config.json files share, in both forms: transformers 5 (`rope_parameters`, `dtype`) and the older one
// (`rope_theta`, `rope_scaling`, `rope_local_base_freq`, `torch_dtype`). A rule of this reader: an absent key has the default of the
// architecture's transformers class; a present key of the wrong kind is an error.
#pragma once

#include <string>

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/nn/spec.h"

namespace atelier::models {

// What an architecture's transformers class assumes when a key is absent.
struct ShapeDefaults {
  bool is_tied = false;
  int64_t num_heads = 32;
  int64_t num_kv_heads = 0;  // 0: as many as heads
  int64_t head_dim = 0;      // 0: C / H
  int64_t max_context = 2048;
  double norm_eps = 1e-6;
};

// Sizes that Llama-shaped configurations spell alike (hidden_size, num_attention_heads, …), RMS norm, gated MLP, tied or not.
// Adds one layer spec per layer, without windows. Rotary settings are read apart.
Result<nn::TransformerSpec> hf_llama_shape(const Json& config, const std::string& architecture, const ShapeDefaults& defaults);

// `count` layers, bounded before anything is allocated.
Status hf_add_layers(int64_t count, nn::TransformerSpec& spec);

// As many kv heads as heads, which share the width equally.
Status hf_equal_heads(nn::TransformerSpec& spec);

// The rotary settings of layers of type `layer_type` ("full_attention", "sliding_attention"; transformers 5 may hold one per type).
// theta_default and scaling apply to the older form.
Result<nn::RopeSpec> hf_rope(const Json& config, const nn::TransformerSpec& spec, const std::string& layer_type, double theta_default);

// A RopeSpec of the older form: theta as given, scaling from `rope_scaling` when `scaled`.
Result<nn::RopeSpec> hf_rope_old(const Json& config, const nn::TransformerSpec& spec, double theta, bool scaled);

// Sets windows from `layer_types` ("sliding_attention" / "full_attention") when the key is there; false when it is not.
Result<bool> hf_layer_types(const Json& config, int64_t window, nn::TransformerSpec& spec);

// Qwen's windows: `layer_types`, or the older use_sliding_window with max_window_layers lower layers that see everything.
Status hf_upper_layer_windows(const Json& config, nn::TransformerSpec& spec);

// "silu", "gelu_pytorch_tanh", … -> Activation.
Result<kernels::Activation> hf_activation(const std::string& name);

}  // namespace atelier::models
