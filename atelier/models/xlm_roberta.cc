// XLM-R: RoBERTa for a hundred languages, with one SentencePiece vocabulary (Conneau et al. 2019, arXiv:1911.02116).
#include "atelier/models/bert_names.h"
#include "atelier/models/encoder_config.h"

namespace atelier::models {
namespace {

Result<nn::TransformerSpec> from_hf(const Json& config) {
  return hf_roberta(config, "xlm_roberta", {.vocab_size = 30522, .max_positions = 512, .num_segments = 2, .has_position_offset = true});
}

constexpr const char* kClasses[] = {"XLMRobertaModel",
                                    "XLMRobertaForMaskedLM",
                                    "XLMRobertaForSequenceClassification",
                                    "XLMRobertaForTokenClassification",
                                    "XLMRobertaForQuestionAnswering",
                                    "XLMRobertaForMultipleChoice"};

}  // namespace

extern const ArchDef arch_xlm_roberta;
const ArchDef arch_xlm_roberta = {.name = "xlm_roberta",
                                  .summary = "XLM-R: RoBERTa for a hundred languages",
                                  .paper = "Conneau et al. 2019, arXiv:1911.02116",
                                  .hf_classes = kClasses,
                                  .gguf_name = nullptr,
                                  .from_hf = from_hf,
                                  .from_gguf = nullptr,
                                  .names = kRobertaHeadNames,
                                  .body_names = kBertBodyNames,
                                  .body = "roberta"};

}  // namespace atelier::models
