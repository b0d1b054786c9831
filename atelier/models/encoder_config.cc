#include "atelier/models/encoder_config.h"

#include "atelier/base/strings.h"
#include "atelier/models/hf_config.h"

namespace atelier::models {
namespace {

constexpr int64_t kMaxLabels = int64_t{1} << 20;

// The names of id2label, in the order of their ids; "LABEL_3" where one is missing, as transformers has it.
Result<std::vector<std::string>> read_labels(const Json& config, int64_t num_labels) {
  std::vector<std::string> labels;
  const Json* names = config.find("id2label");
  const bool has_names = names != nullptr && names->is_object();
  for (int64_t i = 0; i < num_labels; ++i) {
    labels.push_back("LABEL_" + std::to_string(i));
    if (has_names) {
      ATELIER_TRY(labels.back(), names->get_string(std::to_string(i), labels.back()));
    }
  }
  return labels;
}

Status read_labels(const Json& config, nn::HeadSpec& head) {
  const Json* names = config.find("id2label");
  const int64_t named = names != nullptr && names->is_object() ? static_cast<int64_t>(names->as_object().size()) : 2;
  ATELIER_TRY(head.num_labels, config.get_int("num_labels", named));
  if (head.num_labels < 1 || head.num_labels > kMaxLabels) {
    return Status::corrupt("config.json: " + std::to_string(head.num_labels) + " labels, must be 1 to " + std::to_string(kMaxLabels));
  }
  ATELIER_TRY(head.labels, read_labels(config, head.num_labels));
  return {};
}

Status read_problem(const Json& config, nn::HeadSpec& head) {
  const std::string by_count = head.num_labels == 1 ? "regression" : "single_label_classification";
  const Json* given = config.find("problem_type");
  std::string problem = by_count;
  if (given != nullptr && !given->is_null()) {
    ATELIER_TRY(problem, config.get_string("problem_type"));
  }
  if (problem == "regression") {
    head.problem = nn::ProblemKind::kRegression;
  } else if (problem == "multi_label_classification") {
    head.problem = nn::ProblemKind::kManyLabels;
  } else if (problem != "single_label_classification") {
    return Status::unsupported("config.json: problem_type " + quoted(problem) +
                               " is not known; known: regression, single_label_classification, multi_label_classification");
  }
  return {};
}

Status set_language_head(const Json& config, nn::TransformerSpec& spec) {
  ATELIER_TRY(const bool is_tied, config.get_bool("tie_word_embeddings", true));
  if (!is_tied) return Status::unsupported("config.json: tie_word_embeddings is false, must be true for this family");
  spec.has_language_head = spec.has_head_transform = spec.has_head_bias = spec.has_tied_head = true;
  return {};
}

}  // namespace

void set_encoder_parts(nn::TransformerSpec& spec) {
  spec.mask = nn::MaskKind::kBidirectional;
  spec.norm = nn::NormKind::kLayer;
  spec.norm_placement = nn::NormPlacement::kPost;
  spec.has_embedding_norm = true;
  spec.has_final_norm = false;
  spec.position = nn::PositionKind::kLearned;
  spec.activation = kernels::Activation::kGelu;
  spec.is_gated = false;
  spec.has_qkv_bias = spec.has_output_bias = spec.has_mlp_bias = true;
  spec.has_language_head = false;
}

nn::HeadSpec next_sentence_head() { return {.kind = nn::HeadKind::kNextSentence, .num_labels = 2, .labels = {"next", "random"}}; }

Status read_heads(const Json& config, const HeadStyle& style, nn::TransformerSpec& spec) {
  const Json* classes = config.find("architectures");
  const bool is_named = classes != nullptr && classes->is_array() && !classes->as_array().empty() && classes->as_array()[0].is_string();
  const std::string name = is_named ? classes->as_array()[0].as_string() : "Model";
  nn::HeadSpec& head = spec.head;
  if (name.ends_with("ForMaskedLM")) {
    ATELIER_RETURN_IF_ERROR(set_language_head(config, spec));
  } else if (name.ends_with("ForPreTraining") || name.ends_with("ForNextSentencePrediction")) {
    if (name.ends_with("ForPreTraining")) ATELIER_RETURN_IF_ERROR(set_language_head(config, spec));
    spec.has_pooler = true;
    head = next_sentence_head();
  } else if (name.ends_with("ForSequenceClassification")) {
    head.kind = nn::HeadKind::kSequence;
    spec.has_pooler = style.pools_sequences;
    head.has_dense = !style.pools_sequences;
    ATELIER_RETURN_IF_ERROR(read_labels(config, head));
    ATELIER_RETURN_IF_ERROR(read_problem(config, head));
  } else if (name.ends_with("ForMultipleChoice")) {
    head = {.kind = nn::HeadKind::kChoice, .num_labels = 1, .has_dense = !style.pools_choices};
    spec.has_pooler = style.pools_choices;
  } else if (name.ends_with("ForTokenClassification")) {
    head.kind = nn::HeadKind::kToken;
    ATELIER_RETURN_IF_ERROR(read_labels(config, head));
  } else if (name.ends_with("ForQuestionAnswering")) {
    head = {.kind = nn::HeadKind::kSpan, .num_labels = 2};
  } else {
    spec.has_pooler = style.has_pooler_class;
  }
  head.activation = style.dense_activation;
  return {};
}

Result<nn::TransformerSpec> hf_encoder(const Json& config, const std::string& architecture, const EncoderDefaults& defaults,
                                       const HeadStyle& style) {
  ATELIER_TRY(const std::string position, config.get_string("position_embedding_type", "absolute"));
  if (position != "absolute") {
    return Status::unsupported("config.json: position_embedding_type " + quoted(position) + " is not known; known: absolute");
  }
  nn::TransformerSpec spec;
  spec.architecture = architecture;
  set_encoder_parts(spec);
  ATELIER_TRY(spec.vocab_size, config.get_int("vocab_size", defaults.vocab_size));
  ATELIER_TRY(spec.width, config.get_int("hidden_size", 768));
  ATELIER_TRY(spec.ffn_width, config.get_int("intermediate_size", 3072));
  ATELIER_TRY(const int64_t num_layers, config.get_int("num_hidden_layers", 12));
  ATELIER_RETURN_IF_ERROR(hf_add_layers(num_layers, spec));
  ATELIER_TRY(spec.num_heads, config.get_int("num_attention_heads", 12));
  ATELIER_RETURN_IF_ERROR(hf_equal_heads(spec));
  ATELIER_TRY(const int64_t max_positions, config.get_int("max_position_embeddings", defaults.max_positions));
  if (defaults.has_position_offset) {
    ATELIER_TRY(const int64_t pad, config.get_int("pad_token_id", 1));
    spec.position_offset = pad + 1;
  }
  spec.max_context = max_positions - spec.position_offset;
  ATELIER_TRY(spec.num_segments, config.get_int("type_vocab_size", defaults.num_segments));
  ATELIER_TRY(const double eps, config.get_double("layer_norm_eps", 1e-12));
  spec.norm_eps = static_cast<float>(eps);
  ATELIER_TRY(const std::string activation, config.get_string("hidden_act", "gelu"));
  ATELIER_TRY(spec.activation, hf_activation(activation));
  ATELIER_RETURN_IF_ERROR(read_heads(config, style, spec));
  return spec;
}

Result<nn::TransformerSpec> hf_roberta(const Json& config, const std::string& architecture, const EncoderDefaults& defaults) {
  ATELIER_TRY(nn::TransformerSpec spec, hf_encoder(config, architecture, defaults, {.pools_sequences = false}));
  if (spec.has_head_transform && spec.activation != kernels::Activation::kGelu) {
    return Status::unsupported("config.json: hidden_act must be gelu, which this family's language head has");
  }
  return spec;
}

}  // namespace atelier::models
