// The Transformer of 2017: an encoder and a decoder with sinusoids, LayerNorms behind the sums and one embedding, scaled by the root of its
// width, for both and for the head (Vaswani et al. 2017, arXiv:1706.03762). Checkpoints are in the layout of Marian (Junczys-Dowmunt et al.
// 2018, arXiv:1804.00344), whose translation models these are.
#include "atelier/models/bart_config.h"

namespace atelier::models {
namespace {

Result<nn::TransformerSpec> from_hf(const Json& config) { return hf_marian(config, "marian"); }
bool is_of(const Json& config) { return !has_two_embeddings(config); }

constexpr const char* kClasses[] = {"MarianMTModel"};

}  // namespace

extern const ArchDef arch_marian;
const ArchDef arch_marian = {.name = "marian",
                             .summary = "the Transformer of 2017; Marian's translation models",
                             .paper = "Vaswani et al. 2017, arXiv:1706.03762; Junczys-Dowmunt et al. 2018, arXiv:1804.00344",
                             .hf_classes = kClasses,
                             .from_hf = from_hf,
                             .names = kBartNames,
                             .is_of = is_of};

}  // namespace atelier::models
