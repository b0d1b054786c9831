// CamemBERT: RoBERTa for French, with SentencePiece (Martin et al. 2019, arXiv:1911.03894).
#include "atelier/models/bert_names.h"
#include "atelier/models/encoder_config.h"

namespace atelier::models {
namespace {

Result<nn::TransformerSpec> from_hf(const Json& config) {
  return hf_roberta(config, "camembert", {.vocab_size = 30522, .max_positions = 512, .num_segments = 2, .has_position_offset = true});
}

constexpr const char* kClasses[] = {"CamembertModel",
                                    "CamembertForMaskedLM",
                                    "CamembertForSequenceClassification",
                                    "CamembertForTokenClassification",
                                    "CamembertForQuestionAnswering",
                                    "CamembertForMultipleChoice"};

}  // namespace

extern const ArchDef arch_camembert;
const ArchDef arch_camembert = {.name = "camembert",
                                .summary = "CamemBERT: RoBERTa for French",
                                .paper = "Martin et al. 2019, arXiv:1911.03894",
                                .hf_classes = kClasses,
                                .gguf_name = nullptr,
                                .from_hf = from_hf,
                                .from_gguf = nullptr,
                                .names = kRobertaHeadNames,
                                .body_names = kBertBodyNames,
                                .body = "roberta"};

}  // namespace atelier::models
