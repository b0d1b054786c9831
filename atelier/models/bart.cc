// BART: an encoder and a decoder with learned positions, pre-trained to mend texts (Lewis et al. 2020, arXiv:1910.13461).
#include "atelier/models/bart_config.h"

namespace atelier::models {
namespace {

void set_positions(nn::TransformerSpec& spec) {
  spec.position = nn::PositionKind::kLearned;
  spec.position_offset = 2;  // two rows of the table are never reached, as in RoBERTa
  spec.has_embedding_norm = true;
}

Result<nn::TransformerSpec> from_hf(const Json& config) {
  ATELIER_TRY(nn::TransformerSpec spec, hf_bart(config, "bart", 50265));
  set_positions(spec);
  set_positions(spec.encoder[0]);
  return spec;
}

constexpr const char* kClasses[] = {"BartForConditionalGeneration"};

}  // namespace

extern const ArchDef arch_bart;
const ArchDef arch_bart = {.name = "bart",
                           .summary = "BART",
                           .paper = "Lewis et al. 2020, arXiv:1910.13461",
                           .hf_classes = kClasses,
                           .from_hf = from_hf,
                           .names = kBartNames};

}  // namespace atelier::models
