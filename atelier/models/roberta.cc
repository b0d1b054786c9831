// RoBERTa: BERT without next sentences, with byte-level BPE and more of everything (Liu et al. 2019, arXiv:1907.11692). Positions begin
// behind the padding token's id; one kind of segment.
#include "atelier/models/bert_names.h"
#include "atelier/models/encoder_config.h"

namespace atelier::models {
namespace {

Result<nn::TransformerSpec> from_hf(const Json& config) {
  return hf_roberta(config, "roberta", {.vocab_size = 50265, .max_positions = 512, .num_segments = 2, .has_position_offset = true});
}

constexpr const char* kClasses[] = {"RobertaModel",
                                    "RobertaForMaskedLM",
                                    "RobertaForSequenceClassification",
                                    "RobertaForTokenClassification",
                                    "RobertaForQuestionAnswering",
                                    "RobertaForMultipleChoice"};

}  // namespace

extern const ArchDef arch_roberta;
const ArchDef arch_roberta = {.name = "roberta",
                              .summary = "RoBERTa",
                              .paper = "Liu et al. 2019, arXiv:1907.11692",
                              .hf_classes = kClasses,
                              .gguf_name = nullptr,
                              .from_hf = from_hf,
                              .from_gguf = nullptr,
                              .names = kRobertaHeadNames,
                              .body_names = kBertBodyNames,
                              .body = "roberta"};

}  // namespace atelier::models
