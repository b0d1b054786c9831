// mT5: T5 v1.1 for a hundred languages, whose output is never scaled (Xue et al. 2021, arXiv:2010.11934).
#include "atelier/models/t5_config.h"

namespace atelier::models {
namespace {

Result<nn::TransformerSpec> from_hf(const Json& config) {
  constexpr T5Defaults kDefaults = {.vocab_size = 250112, .ffn_width = 1024, .num_layers = 8, .num_heads = 6, .feed_forward = "gated-gelu"};
  ATELIER_TRY(nn::TransformerSpec spec, hf_t5(config, "mt5", kDefaults));
  if (!spec.is_gated) return Status::unsupported("config.json: feed_forward_proj must be gated for mT5");
  return spec;
}

constexpr const char* kClasses[] = {"MT5ForConditionalGeneration"};

}  // namespace

extern const ArchDef arch_mt5;
const ArchDef arch_mt5 = {.name = "mt5",
                          .summary = "mT5",
                          .paper = "Xue et al. 2021, arXiv:2010.11934",
                          .hf_classes = kClasses,
                          .from_hf = from_hf,
                          .names = kGatedMlpNames,
                          .body_names = kT5Names};

}  // namespace atelier::models
