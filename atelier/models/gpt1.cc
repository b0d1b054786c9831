// GPT-1 ("openai-gpt"): learned positions, LayerNorm after each residual sum as in the Transformer of 2017, no final norm.
//                                                                          (Radford et al. 2018, Improving Language Understanding)
#include "atelier/base/strings.h"
#include "atelier/models/arch.h"
#include "atelier/models/gpt_config.h"

namespace atelier::models {
namespace {

Result<nn::TransformerSpec> from_hf(const Json& config) {
  ATELIER_TRY(nn::TransformerSpec spec, hf_gpt_shape(config, "gpt1"));
  spec.norm_placement = nn::NormPlacement::kPost;
  spec.has_final_norm = false;
  ATELIER_TRY(const std::string activation, config.get_string("afn", "gelu"));
  if (activation != "gelu" && activation != "relu" && activation != "silu") {
    return Status::unsupported("config.json: activation " + quoted(activation) + " is not known; known: gelu, relu, silu");
  }
  spec.activation = activation == "gelu"   ? kernels::Activation::kGeluTanh  // this family's "gelu" is the tanh form
                    : activation == "relu" ? kernels::Activation::kRelu
                                           : kernels::Activation::kSilu;
  return spec;
}

constexpr const char* kClasses[] = {"OpenAIGPTLMHeadModel"};

constexpr NameRule kNames[] = {
    {"embedding", "transformer.tokens_embed", nullptr},
    {"position_embedding", "transformer.positions_embed", nullptr},
    {"layers.*.attention_norm", "transformer.h.*.ln_1", nullptr},
    {"layers.*.attention.q", "transformer.h.*.attn.c_attn", nullptr, Part::kQuery, Part::kWhole, Transform::kTranspose},
    {"layers.*.attention.k", "transformer.h.*.attn.c_attn", nullptr, Part::kKey, Part::kWhole, Transform::kTranspose},
    {"layers.*.attention.v", "transformer.h.*.attn.c_attn", nullptr, Part::kValue, Part::kWhole, Transform::kTranspose},
    {.logical = "layers.*.attention.o", .hf = "transformer.h.*.attn.c_proj", .gguf = nullptr, .hf_transform = Transform::kTranspose},
    {"layers.*.mlp_norm", "transformer.h.*.ln_2", nullptr},
    {.logical = "layers.*.mlp.up", .hf = "transformer.h.*.mlp.c_fc", .gguf = nullptr, .hf_transform = Transform::kTranspose},
    {.logical = "layers.*.mlp.down", .hf = "transformer.h.*.mlp.c_proj", .gguf = nullptr, .hf_transform = Transform::kTranspose},
    {"head", "lm_head", nullptr},
};

}  // namespace

extern const ArchDef arch_gpt1;
const ArchDef arch_gpt1 = {.name = "gpt1",
                           .summary = "GPT-1 (openai-gpt)",
                           .paper = "Radford et al. 2018, Improving Language Understanding by Generative Pre-Training",
                           .hf_classes = kClasses,
                           .gguf_name = nullptr,
                           .from_hf = from_hf,
                           .from_gguf = nullptr,
                           .names = kNames};

}  // namespace atelier::models
