// Gemma 3 (its text part): qk-norm, five layers with a window and a rotary base of their own to each layer that sees everything.
//                                                                                        (Gemma Team 2025, arXiv:2503.19786)
#include <cmath>

#include "atelier/models/arch.h"
#include "atelier/models/gemma_names.h"
#include "atelier/models/gguf_config.h"
#include "atelier/models/hf_config.h"

namespace atelier::models {
namespace {

constexpr int kGlobalRope = 0, kLocalRope = 1;

void set_gemma3_parts(nn::TransformerSpec& spec) {
  spec.activation = kernels::Activation::kGeluTanh;
  spec.embedding_scale = std::sqrt(static_cast<float>(spec.width));
  spec.norm_placement = nn::NormPlacement::kBoth;
  spec.has_qk_norm = true;
}

// Every `pattern`-th layer sees everything.
void set_windows_by_pattern(int64_t window, int64_t pattern, nn::TransformerSpec& spec) {
  for (int64_t i = 0; i < spec.num_layers(); ++i) {
    spec.layers[static_cast<size_t>(i)].window = (i + 1) % pattern == 0 ? 0 : window;
  }
}

void give_windowed_layers_the_local_rope(nn::TransformerSpec& spec) {
  for (nn::LayerSpec& layer : spec.layers) layer.rope = layer.window > 0 ? kLocalRope : kGlobalRope;
}

// The multimodal configuration holds the text model's under "text_config".
const Json& text_part(const Json& config) {
  const Json* text = config.find("text_config");
  return text != nullptr && text->is_object() ? *text : config;
}

Status read_ropes(const Json& config, nn::TransformerSpec& spec) {
  ATELIER_TRY(const nn::RopeSpec global, hf_rope(config, spec, "full_attention", 1000000));
  ATELIER_TRY(const double local_theta, config.get_double("rope_local_base_freq", 10000));
  const Json* parameters = config.find("rope_parameters");
  const bool is_new_form = parameters != nullptr && parameters->find("sliding_attention") != nullptr;
  ATELIER_TRY(const nn::RopeSpec local,
              is_new_form ? hf_rope(config, spec, "sliding_attention", local_theta) : hf_rope_old(config, spec, local_theta, false));
  spec.ropes = {global, local};
  return Status::ok_status();
}

Result<nn::TransformerSpec> from_hf(const Json& whole) {
  const Json& config = text_part(whole);
  ATELIER_TRY(
      nn::TransformerSpec spec,
      hf_llama_shape(config, "gemma3", {.is_tied = true, .num_heads = 8, .num_kv_heads = 4, .head_dim = 256, .max_context = 131072}));
  ATELIER_TRY(spec.has_qkv_bias, config.get_bool("attention_bias", false));
  spec.has_output_bias = spec.has_qkv_bias;
  set_gemma3_parts(spec);
  ATELIER_TRY(const double scalar, config.get_double("query_pre_attn_scalar", 256));
  if (!(scalar > 0)) return Status::corrupt("config.json: query_pre_attn_scalar is " + std::to_string(scalar) + ", must be positive");
  spec.attention_scale = static_cast<float>(1 / std::sqrt(scalar));
  ATELIER_TRY(const double score_cap, config.get_double("attn_logit_softcapping", 0));
  ATELIER_TRY(const double logit_cap, config.get_double("final_logit_softcapping", 0));
  spec.attention_soft_cap = static_cast<float>(score_cap);
  spec.final_soft_cap = static_cast<float>(logit_cap);
  ATELIER_RETURN_IF_ERROR(read_ropes(config, spec));
  ATELIER_TRY(const int64_t window, config.get_int("sliding_window", 4096));
  ATELIER_TRY(const bool has_types, hf_layer_types(config, window, spec));
  if (!has_types) {
    ATELIER_TRY(const int64_t pattern, config.get_int("sliding_window_pattern", 6));
    if (pattern < 1) return Status::corrupt("config.json: sliding_window_pattern is " + std::to_string(pattern) + ", must be positive");
    set_windows_by_pattern(window, pattern, spec);
  }
  give_windowed_layers_the_local_rope(spec);
  return spec;
}

Result<nn::TransformerSpec> from_gguf(const format::Gguf& file) {
  const GgufKeys keys(file, "gemma3");
  ATELIER_TRY(nn::TransformerSpec spec, gguf_shape(keys, "gemma3"));
  set_gemma3_parts(spec);
  constexpr int64_t kLayersOf27B = 62;  // the one size whose scale is not that of its head width
  if (spec.num_layers() == kLayersOf27B) {
    spec.attention_scale = 1 / std::sqrt(static_cast<float>(spec.width) / static_cast<float>(spec.num_heads));
  }
  ATELIER_TRY(const double logit_cap, keys.get_double("final_logit_softcapping", 0));
  spec.final_soft_cap = static_cast<float>(logit_cap);
  ATELIER_TRY(const nn::RopeSpec global, gguf_rope(keys, spec));
  nn::RopeSpec local{.rotary_dim = global.rotary_dim};
  ATELIER_TRY(local.theta, keys.get_double("rope.freq_base_swa", 10000));
  spec.ropes = {global, local};
  ATELIER_TRY(const int64_t window, keys.get_int("attention.sliding_window", 0));
  ATELIER_TRY(const int64_t pattern, keys.get_int("attention.sliding_window_pattern", 6));
  if (pattern < 1) return Status::corrupt("gguf: attention.sliding_window_pattern is " + std::to_string(pattern) + ", must be positive");
  set_windows_by_pattern(window, pattern, spec);
  give_windowed_layers_the_local_rope(spec);
  return spec;
}

constexpr const char* kClasses[] = {"Gemma3ForCausalLM", "Gemma3ForConditionalGeneration"};

}  // namespace

extern const ArchDef arch_gemma3;
const ArchDef arch_gemma3 = {.name = "gemma3",
                             .summary = "Gemma 3, text part",
                             .paper = "Gemma Team 2025, arXiv:2503.19786",
                             .hf_classes = kClasses,
                             .gguf_name = "gemma3",
                             .from_hf = from_hf,
                             .from_gguf = from_gguf,
                             .names = kGemmaNames};

}  // namespace atelier::models
