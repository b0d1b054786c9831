// DistilBERT: BERT with half the layers, without segments and pooler, taught by BERT (Sanh et al. 2019, arXiv:1910.01108).
#include "atelier/base/strings.h"
#include "atelier/models/arch.h"
#include "atelier/models/encoder_config.h"
#include "atelier/models/hf_config.h"

namespace atelier::models {
namespace {

Result<nn::TransformerSpec> from_hf(const Json& config) {
  nn::TransformerSpec spec;
  spec.architecture = "distilbert";
  set_encoder_parts(spec);
  ATELIER_TRY(spec.vocab_size, config.get_int("vocab_size", 30522));
  ATELIER_TRY(spec.width, config.get_int("dim", 768));
  ATELIER_TRY(spec.ffn_width, config.get_int("hidden_dim", 4 * 768));
  ATELIER_TRY(const int64_t num_layers, config.get_int("n_layers", 6));
  ATELIER_RETURN_IF_ERROR(hf_add_layers(num_layers, spec));
  ATELIER_TRY(spec.num_heads, config.get_int("n_heads", 12));
  ATELIER_RETURN_IF_ERROR(hf_equal_heads(spec));
  ATELIER_TRY(spec.max_context, config.get_int("max_position_embeddings", 512));
  spec.norm_eps = 1e-12f;
  ATELIER_TRY(const std::string activation, config.get_string("activation", "gelu"));
  ATELIER_TRY(spec.activation, hf_activation(activation));
  ATELIER_RETURN_IF_ERROR(read_heads(
      config, {.has_pooler_class = false, .pools_sequences = false, .pools_choices = false, .dense_activation = kernels::Activation::kRelu},
      spec));
  return spec;
}

constexpr const char* kClasses[] = {"DistilBertModel",
                                    "DistilBertForMaskedLM",
                                    "DistilBertForSequenceClassification",
                                    "DistilBertForTokenClassification",
                                    "DistilBertForQuestionAnswering",
                                    "DistilBertForMultipleChoice"};

constexpr NameRule kNames[] = {
    {"embedding", "@.embeddings.word_embeddings", nullptr},
    {"position_embedding", "@.embeddings.position_embeddings", nullptr},
    {"embedding_norm", "@.embeddings.LayerNorm", nullptr},
    {"layers.*.attention.q", "@.transformer.layer.*.attention.q_lin", nullptr},
    {"layers.*.attention.k", "@.transformer.layer.*.attention.k_lin", nullptr},
    {"layers.*.attention.v", "@.transformer.layer.*.attention.v_lin", nullptr},
    {"layers.*.attention.o", "@.transformer.layer.*.attention.out_lin", nullptr},
    {"layers.*.attention_norm", "@.transformer.layer.*.sa_layer_norm", nullptr},
    {"layers.*.mlp.up", "@.transformer.layer.*.ffn.lin1", nullptr},
    {"layers.*.mlp.down", "@.transformer.layer.*.ffn.lin2", nullptr},
    {"layers.*.mlp_norm", "@.transformer.layer.*.output_layer_norm", nullptr},
    {"head_transform.dense", "vocab_transform", nullptr},
    {"head_transform.norm", "vocab_layer_norm", nullptr},
    {"head", "vocab_projector", nullptr},
    {"heads.sequence.dense", "pre_classifier", nullptr},
    {"heads.choice.dense", "pre_classifier", nullptr},
    {"heads.sequence", "classifier", nullptr},
    {"heads.choice", "classifier", nullptr},
    {"heads.token", "classifier", nullptr},
    {"heads.span", "qa_outputs", nullptr},
};

}  // namespace

extern const ArchDef arch_distilbert;
const ArchDef arch_distilbert = {.name = "distilbert",
                                 .summary = "DistilBERT",
                                 .paper = "Sanh et al. 2019, arXiv:1910.01108",
                                 .hf_classes = kClasses,
                                 .gguf_name = nullptr,
                                 .from_hf = from_hf,
                                 .from_gguf = nullptr,
                                 .names = kNames,
                                 .body = "distilbert"};

}  // namespace atelier::models
