// Gemma 2: norms before and after each part, soft caps on scores and logits, every other layer with a window.
//                                                                                        (Gemma Team 2024, arXiv:2408.00118)
#include <cmath>

#include "atelier/models/arch.h"
#include "atelier/models/gemma_names.h"
#include "atelier/models/gguf_config.h"
#include "atelier/models/hf_config.h"

namespace atelier::models {
namespace {

void set_gemma2_parts(nn::TransformerSpec& spec) {
  spec.activation = kernels::Activation::kGeluTanh;
  spec.embedding_scale = std::sqrt(static_cast<float>(spec.width));
  spec.norm_placement = nn::NormPlacement::kBoth;
}

// Layers 0, 2, 4 … see a window.
void set_alternating_windows(int64_t window, nn::TransformerSpec& spec) {
  for (size_t i = 0; i < spec.layers.size(); i += 2) spec.layers[i].window = window;
}

Result<nn::TransformerSpec> from_hf(const Json& config) {
  ATELIER_TRY(nn::TransformerSpec spec,
              hf_llama_shape(config, "gemma2", {.is_tied = true, .num_heads = 8, .num_kv_heads = 4, .head_dim = 256, .max_context = 8192}));
  ATELIER_TRY(spec.has_qkv_bias, config.get_bool("attention_bias", false));
  spec.has_output_bias = spec.has_qkv_bias;
  set_gemma2_parts(spec);
  ATELIER_TRY(const double scalar, config.get_double("query_pre_attn_scalar", 256));
  if (!(scalar > 0)) return Status::corrupt("config.json: query_pre_attn_scalar is " + std::to_string(scalar) + ", must be positive");
  spec.attention_scale = static_cast<float>(1 / std::sqrt(scalar));
  ATELIER_TRY(const double score_cap, config.get_double("attn_logit_softcapping", 0));
  ATELIER_TRY(const double logit_cap, config.get_double("final_logit_softcapping", 0));
  spec.attention_soft_cap = static_cast<float>(score_cap);
  spec.final_soft_cap = static_cast<float>(logit_cap);
  ATELIER_TRY(const nn::RopeSpec rope, hf_rope(config, spec, "full_attention", 10000));
  spec.ropes = {rope};
  ATELIER_TRY(const int64_t window, config.get_int("sliding_window", 4096));
  ATELIER_TRY(const bool has_types, hf_layer_types(config, window, spec));
  if (!has_types) set_alternating_windows(window, spec);
  return spec;
}

Result<nn::TransformerSpec> from_gguf(const format::Gguf& file) {
  const GgufKeys keys(file, "gemma2");
  ATELIER_TRY(nn::TransformerSpec spec, gguf_shape(keys, "gemma2"));
  set_gemma2_parts(spec);
  constexpr int64_t kLayersOf27B = 46;  // the one size whose scale is not that of its head width
  if (spec.num_layers() == kLayersOf27B) {
    spec.attention_scale = 1 / std::sqrt(static_cast<float>(spec.width) / static_cast<float>(spec.num_heads));
  }
  ATELIER_TRY(const double score_cap, keys.get_double("attn_logit_softcapping", 50));
  ATELIER_TRY(const double logit_cap, keys.get_double("final_logit_softcapping", 30));
  spec.attention_soft_cap = static_cast<float>(score_cap);
  spec.final_soft_cap = static_cast<float>(logit_cap);
  ATELIER_TRY(const nn::RopeSpec rope, gguf_rope(keys, spec));
  spec.ropes = {rope};
  ATELIER_TRY(const int64_t window, keys.get_int("attention.sliding_window", 4096));
  set_alternating_windows(window, spec);
  return spec;
}

constexpr const char* kClasses[] = {"Gemma2ForCausalLM"};

}  // namespace

extern const ArchDef arch_gemma2;
const ArchDef arch_gemma2 = {.name = "gemma2",
                             .summary = "Gemma 2",
                             .paper = "Gemma Team 2024, arXiv:2408.00118",
                             .hf_classes = kClasses,
                             .gguf_name = "gemma2",
                             .from_hf = from_hf,
                             .from_gguf = from_gguf,
                             .names = kGemmaNames};

}  // namespace atelier::models
