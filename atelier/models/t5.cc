// T5: an encoder and a decoder with biases by distance in place of positions, RMS norms, no biases and no scale in attention. Every task is
// text to text.                                                                     (Raffel et al. 2020, arXiv:1910.10683)
#include "atelier/models/t5_config.h"

namespace atelier::models {
namespace {

constexpr T5Defaults kDefaults = {.vocab_size = 32128, .ffn_width = 2048, .num_layers = 6, .num_heads = 8, .feed_forward = "relu"};

Result<nn::TransformerSpec> from_hf(const Json& config) { return hf_scaled_t5(config, "t5", kDefaults); }
bool is_of(const Json& config) { return !has_gated_mlp(config, kDefaults.feed_forward); }

constexpr const char* kClasses[] = {"T5ForConditionalGeneration"};

}  // namespace

extern const ArchDef arch_t5;
const ArchDef arch_t5 = {.name = "t5",
                         .summary = "T5",
                         .paper = "Raffel et al. 2020, arXiv:1910.10683",
                         .hf_classes = kClasses,
                         .from_hf = from_hf,
                         .names = kPlainMlpNames,
                         .body_names = kT5Names,
                         .is_of = is_of};

}  // namespace atelier::models
