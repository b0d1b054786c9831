// BERT: an encoder that sees both sides of a token, with segments for pairs of texts (Devlin et al. 2018, arXiv:1810.04805). MiniLM
// (Wang et al. 2020, arXiv:2002.10957) and most sentence encoders are BERTs of other sizes.
#include "atelier/models/bert_names.h"
#include "atelier/models/encoder_config.h"
#include "atelier/models/gguf_config.h"

namespace atelier::models {
namespace {

Result<nn::TransformerSpec> from_hf(const Json& config) {
  return hf_encoder(config, "bert", {.vocab_size = 30522, .max_positions = 512, .num_segments = 2, .has_position_offset = false}, {});
}

// llama.cpp keeps encoders for embeddings: the body, and a head for sequences in rerankers. RoBERTa's positions are stored from 0 on.
Result<nn::TransformerSpec> from_gguf(const format::Gguf& file) {
  const GgufKeys keys(file, "bert");
  ATELIER_TRY(nn::TransformerSpec spec, gguf_shape(keys, "bert"));
  set_encoder_parts(spec);
  spec.has_tied_head = false;
  if (const format::TensorEntry* types = file.find("token_types.weight")) {
    if (types->shape.size() != 2) return Status::corrupt("gguf: tensor \"token_types.weight\" is no matrix");
    spec.num_segments = types->shape[0];
  }
  if (const format::TensorEntry* output = file.find("cls.output.weight")) {
    if (output->shape.size() != 2) return Status::corrupt("gguf: tensor \"cls.output.weight\" is no matrix");
    spec.head = {.kind = nn::HeadKind::kSequence, .num_labels = output->shape[0], .has_dense = keys.has_tensor("cls.weight")};
    if (spec.head.num_labels == 1) spec.head.problem = nn::ProblemKind::kRegression;
  }
  return spec;
}

constexpr const char* kClasses[] = {"BertModel",
                                    "BertForMaskedLM",
                                    "BertForPreTraining",
                                    "BertForNextSentencePrediction",
                                    "BertForSequenceClassification",
                                    "BertForTokenClassification",
                                    "BertForQuestionAnswering",
                                    "BertForMultipleChoice"};

constexpr NameRule kNames[] = {
    {"head_transform.dense", "cls.predictions.transform.dense", nullptr},
    {"head_transform.norm", "cls.predictions.transform.LayerNorm", nullptr},
    {"head.bias", "cls.predictions.bias", nullptr},
    {"heads.next_sentence", "cls.seq_relationship", nullptr},
    {"heads.sequence.dense", nullptr, "cls"},
    {"heads.sequence", "classifier", "cls.output"},
    {"heads.choice", "classifier", nullptr},
    {"heads.token", "classifier", nullptr},
    {"heads.span", "qa_outputs", nullptr},
};

}  // namespace

extern const ArchDef arch_bert;
const ArchDef arch_bert = {.name = "bert",
                           .summary = "BERT, MiniLM and the sentence encoders built on them",
                           .paper = "Devlin et al. 2018, arXiv:1810.04805",
                           .hf_classes = kClasses,
                           .gguf_name = "bert",
                           .from_hf = from_hf,
                           .from_gguf = from_gguf,
                           .names = kNames,
                           .body_names = kBertBodyNames,
                           .body = "bert"};

}  // namespace atelier::models
