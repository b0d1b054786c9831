// T5 v1.1 and Flan-T5: T5 with a gated MLP (Shazeer 2020, arXiv:2002.05202) and a head of its own.
#include "atelier/models/t5_config.h"

namespace atelier::models {
namespace {

constexpr T5Defaults kDefaults = {.vocab_size = 32128, .ffn_width = 2048, .num_layers = 6, .num_heads = 8, .feed_forward = "relu"};

Result<nn::TransformerSpec> from_hf(const Json& config) { return hf_scaled_t5(config, "t5_v1_1", kDefaults); }
bool is_of(const Json& config) { return has_gated_mlp(config, kDefaults.feed_forward); }

constexpr const char* kClasses[] = {"T5ForConditionalGeneration"};

}  // namespace

extern const ArchDef arch_t5_v1_1;
const ArchDef arch_t5_v1_1 = {.name = "t5_v1_1",
                              .summary = "T5 v1.1, Flan-T5",
                              .paper = "Raffel et al. 2020, arXiv:1910.10683; Chung et al. 2022, arXiv:2210.11416",
                              .hf_classes = kClasses,
                              .from_hf = from_hf,
                              .names = kGatedMlpNames,
                              .body_names = kT5Names,
                              .is_of = is_of};

}  // namespace atelier::models
