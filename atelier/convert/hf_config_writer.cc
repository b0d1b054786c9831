#include "atelier/convert/hf_config_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

#include "atelier/base/error.h"
#include "atelier/convert/rope_fit.h"
#include "atelier/convert/spec_difference.h"
#include "atelier/models/task_heads.h"

namespace atelier::convert {
namespace {

int64_t widest_window(const nn::TransformerSpec& spec) {
  int64_t window = 0;
  for (const nn::LayerSpec& layer : spec.layers) window = std::max(window, layer.window);
  return window;
}

// The shortest decimal that reads back as this float: 1e-05, not 9.999999747378752e-06.
double shortest(float value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return std::strtod(std::string(text, end).c_str(), nullptr);
}

Json floats(const std::vector<float>& values) {
  Json out = Json::array();
  for (const float value : values) out.push_back(shortest(value));
  return out;
}

Json rope_json(const nn::TransformerSpec& spec, const nn::RopeSpec& stored) {
  const nn::RopeSpec rope = llama3_rope_of(stored).value_or(stored);
  Json out = Json::object();
  out.set("rope_theta", rope.theta);
  const char* kNames[] = {"default", "linear", "dynamic", "yarn", "llama3", "longrope"};
  out.set("rope_type", kNames[static_cast<int>(rope.scaling)]);
  if (rope.rotary_dim != spec.head_dim) {
    out.set("partial_rotary_factor", static_cast<double>(rope.rotary_dim) / static_cast<double>(spec.head_dim));
  }
  if (rope.scaling == nn::RopeScaling::kNone) return out;
  if (rope.scaling != nn::RopeScaling::kLongRope) out.set("factor", rope.factor);
  if (rope.scaling != nn::RopeScaling::kLinear) out.set("original_max_position_embeddings", rope.original_context);
  if (rope.attention_factor != 0) out.set("attention_factor", rope.attention_factor);
  if (rope.scaling == nn::RopeScaling::kLlama3) {
    out.set("low_freq_factor", rope.low_freq_factor).set("high_freq_factor", rope.high_freq_factor);
  }
  if (rope.scaling == nn::RopeScaling::kYarn) {
    out.set("beta_fast", rope.beta_fast).set("beta_slow", rope.beta_slow).set("truncate", rope.truncate);
  }
  if (rope.scaling == nn::RopeScaling::kLongRope) {
    out.set("short_factor", floats(rope.short_factors)).set("long_factor", floats(rope.long_factors));
  }
  return out;
}

Json layer_types(const nn::TransformerSpec& spec) {
  Json out = Json::array();
  for (const nn::LayerSpec& layer : spec.layers) out.push_back(layer.window > 0 ? "sliding_attention" : "full_attention");
  return out;
}

const char* activation_name(kernels::Activation activation) {
  switch (activation) {
    case kernels::Activation::kSilu:
      return "silu";
    case kernels::Activation::kGelu:
      return "gelu";
    case kernels::Activation::kGeluTanh:
      return "gelu_pytorch_tanh";
    case kernels::Activation::kRelu:
      return "relu";
    default:
      throw InternalError("this activation has no name in config.json");
  }
}

// Sizes and parts that Llama and its relatives spell alike.
void set_llama_shape(const nn::TransformerSpec& spec, Json& config) {
  config.set("vocab_size", spec.vocab_size).set("hidden_size", spec.width).set("intermediate_size", spec.ffn_width);
  config.set("num_hidden_layers", spec.num_layers()).set("num_attention_heads", spec.num_heads);
  config.set("num_key_value_heads", spec.num_kv_heads).set("head_dim", spec.head_dim).set("max_position_embeddings", spec.max_context);
  config.set("rms_norm_eps", shortest(spec.norm_eps)).set("hidden_act", activation_name(spec.activation));
  config.set("attention_bias", spec.has_output_bias).set("tie_word_embeddings", spec.has_tied_head);
  config.set("rope_parameters", rope_json(spec, spec.ropes[0]));
}

Json llama_config(const nn::TransformerSpec& spec) {
  const int64_t window = widest_window(spec);
  Json config = Json::object();
  config.set("model_type", window > 0 ? "mistral" : "llama");
  set_llama_shape(spec, config);
  if (window > 0) config.set("sliding_window", window);
  if (window == 0) config.set("mlp_bias", spec.has_mlp_bias);
  return config;
}

Json qwen_config(const nn::TransformerSpec& spec) {
  Json config = Json::object();
  config.set("model_type", spec.architecture);
  set_llama_shape(spec, config);
  return config.set("use_sliding_window", false);
}

Json phi3_config(const nn::TransformerSpec& spec) {
  Json config = Json::object();
  config.set("model_type", "phi3");
  set_llama_shape(spec, config);
  if (spec.ropes[0].original_context > 0) config.set("original_max_position_embeddings", spec.ropes[0].original_context);
  if (spec.ropes[0].rotary_dim != spec.head_dim) {
    config.set("partial_rotary_factor", static_cast<double>(spec.ropes[0].rotary_dim) / static_cast<double>(spec.head_dim));
  }
  const int64_t window = widest_window(spec);
  return config.set("sliding_window", window > 0 ? Json(window) : Json());
}

Json gemma_config(const nn::TransformerSpec& spec) {
  Json config = Json::object();
  config.set("model_type", spec.architecture == "gemma3" ? "gemma3_text" : spec.architecture);
  set_llama_shape(spec, config);
  config.set("hidden_activation", activation_name(spec.activation));
  if (spec.architecture == "gemma") return config;
  const double scale = spec.attention_scale != 0 ? spec.attention_scale : 1 / std::sqrt(static_cast<double>(spec.head_dim));
  config.set("query_pre_attn_scalar", static_cast<int64_t>(std::lround(1 / (scale * scale))));
  config.set("attn_logit_softcapping", spec.attention_soft_cap != 0 ? Json(shortest(spec.attention_soft_cap)) : Json());
  config.set("final_logit_softcapping", spec.final_soft_cap != 0 ? Json(shortest(spec.final_soft_cap)) : Json());
  config.set("sliding_window", widest_window(spec)).set("layer_types", layer_types(spec));
  if (spec.architecture == "gemma3") {
    Json ropes = Json::object();
    ropes.set("full_attention", rope_json(spec, spec.ropes[0])).set("sliding_attention", rope_json(spec, spec.ropes[1]));
    config.set("rope_parameters", std::move(ropes));
  }
  return config;
}

// Sizes that GPT-1 and GPT-2 spell alike.
Json gpt_config(const char* model_type, const nn::TransformerSpec& spec) {
  Json config = Json::object();
  config.set("model_type", model_type).set("vocab_size", spec.vocab_size).set("n_embd", spec.width).set("n_layer", spec.num_layers());
  config.set("n_head", spec.num_heads).set("n_positions", spec.max_context).set("layer_norm_epsilon", shortest(spec.norm_eps));
  return config.set("tie_word_embeddings", spec.has_tied_head);
}

Json gpt1_config(const nn::TransformerSpec& spec) {
  const bool is_gelu = spec.activation == kernels::Activation::kGeluTanh;  // which this family calls "gelu"
  return gpt_config("openai-gpt", spec).set("afn", is_gelu ? "gelu" : activation_name(spec.activation));
}

Json gpt2_config(const nn::TransformerSpec& spec) {
  return gpt_config("gpt2", spec).set("n_inner", spec.ffn_width).set("activation_function", "gelu_new");
}

Json bloom_config(const nn::TransformerSpec& spec) {
  Json config = Json::object();
  config.set("model_type", "bloom").set("vocab_size", spec.vocab_size).set("hidden_size", spec.width).set("n_layer", spec.num_layers());
  config.set("n_head", spec.num_heads).set("seq_length", spec.max_context).set("layer_norm_epsilon", shortest(spec.norm_eps));
  return config.set("tie_word_embeddings", spec.has_tied_head);
}

// Labels and the kind of problem, where a head has them.
void set_labels(const nn::HeadSpec& head, Json& config) {
  if (head.kind != nn::HeadKind::kSequence && head.kind != nn::HeadKind::kToken) return;
  Json names = Json::object(), ids = Json::object();
  for (int64_t i = 0; i < head.num_labels; ++i) {
    const std::string name = i < std::ssize(head.labels) ? head.labels[static_cast<size_t>(i)] : "LABEL_" + std::to_string(i);
    names.set(std::to_string(i), name);
    ids.set(name, i);
  }
  config.set("id2label", std::move(names)).set("label2id", std::move(ids));
  if (head.kind != nn::HeadKind::kSequence) return;
  const char* kProblems[] = {"single_label_classification", "multi_label_classification", "regression"};
  config.set("problem_type", kProblems[static_cast<int>(head.problem)]);
}

Json bert_config(const nn::TransformerSpec& spec) {
  Json config = Json::object();
  config.set("model_type", spec.architecture == "xlm_roberta" ? "xlm-roberta" : spec.architecture);
  config.set("vocab_size", spec.vocab_size).set("hidden_size", spec.width).set("intermediate_size", spec.ffn_width);
  config.set("num_hidden_layers", spec.num_layers()).set("num_attention_heads", spec.num_heads);
  config.set("max_position_embeddings", spec.max_context + spec.position_offset).set("type_vocab_size", spec.num_segments);
  config.set("layer_norm_eps", shortest(spec.norm_eps)).set("hidden_act", activation_name(spec.activation));
  if (spec.position_offset > 0) config.set("pad_token_id", spec.position_offset - 1);
  set_labels(spec.head, config);
  return config;
}

Json distilbert_config(const nn::TransformerSpec& spec) {
  Json config = Json::object();
  config.set("model_type", "distilbert").set("vocab_size", spec.vocab_size).set("dim", spec.width).set("hidden_dim", spec.ffn_width);
  config.set("n_layers", spec.num_layers()).set("n_heads", spec.num_heads).set("max_position_embeddings", spec.max_context);
  config.set("activation", activation_name(spec.activation));
  set_labels(spec.head, config);
  return config;
}

// The class that has these heads: "BertForMaskedLM".
std::string encoder_class(const models::ArchDef& arch, const nn::TransformerSpec& spec) {
  const std::string_view bare = arch.hf_classes[0], model = "Model";
  const std::string family(bare.substr(0, bare.size() - model.size()));
  if (spec.head.kind == nn::HeadKind::kNone) return family + (spec.has_language_head ? "ForMaskedLM" : "Model");
  if (spec.head.kind == nn::HeadKind::kNextSentence && spec.has_language_head) return family + "ForPreTraining";
  return family + models::class_ending(spec.head.kind);
}

Json config_of(const nn::TransformerSpec& spec) {
  if (spec.architecture == "llama") return llama_config(spec);
  if (spec.architecture == "qwen2" || spec.architecture == "qwen3") return qwen_config(spec);
  if (spec.architecture == "phi3") return phi3_config(spec);
  if (spec.architecture.starts_with("gemma")) return gemma_config(spec);
  if (spec.architecture == "gpt1") return gpt1_config(spec);
  if (spec.architecture == "gpt2") return gpt2_config(spec);
  if (spec.architecture == "bloom") return bloom_config(spec);
  if (spec.architecture == "distilbert") return distilbert_config(spec);
  if (spec.mask == nn::MaskKind::kBidirectional) return bert_config(spec);
  throw InternalError("architecture " + spec.architecture + " has no writer for config.json");
}

std::string class_of(const models::ArchDef& arch, const nn::TransformerSpec& spec) {
  if (spec.mask == nn::MaskKind::kBidirectional) return encoder_class(arch, spec);
  return spec.architecture == "llama" && widest_window(spec) > 0 ? "MistralForCausalLM" : arch.hf_classes[0];
}

const char* torch_name(DType dtype) { return dtype == DType::kF16 ? "float16" : dtype == DType::kBF16 ? "bfloat16" : "float32"; }

}  // namespace

Result<Json> hf_config(const models::ArchDef& arch, const nn::TransformerSpec& spec, DType stored) {
  if (spec.has_encoder()) {
    return Status::unsupported(std::string("config.json: ") + arch.name + " has an encoder, which is not written; keep the folder");
  }
  Json config = Json::object();
  config.set("architectures", Json::Array{Json(class_of(arch, spec))});
  config.set("dtype", torch_name(stored));
  const Json settings = config_of(spec);
  for (const auto& [key, value] : settings.as_object()) config.set(key, value);
  ATELIER_TRY(const nn::TransformerSpec read, arch.from_hf(config));
  const std::string difference = first_difference(spec, read);
  if (difference.empty()) return config;
  return Status::unsupported("config.json of transformers cannot express this " + std::string(arch.name) + " model: " + difference +
                             "; keep the GGUF file");
}

}  // namespace atelier::convert
