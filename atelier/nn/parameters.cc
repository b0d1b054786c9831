// Which parameters a spec implies, by logical name and shape: the one list that loading, saving and counting walk.
#include <string>

#include "atelier/nn/transformer.h"

namespace atelier::nn {
namespace {

class Visitor {
 public:
  Visitor(const TransformerSpec& spec, std::string prefix, FunctionRef<void(const ParameterInfo&, Tensor&)> visit)
      : spec_(spec), prefix_(std::move(prefix)), visit_(visit) {}

  void tensor(const std::string& name, Shape shape, Tensor& tensor) { visit_({prefix_ + name, shape}, tensor); }

  void norm(const std::string& name, int64_t width, NormLayer& norm) {
    tensor(name + ".weight", {width}, norm.weight);
    if (spec_.norm == NormKind::kLayer) tensor(name + ".bias", {width}, norm.bias);
  }

  void linear(const std::string& name, int64_t outputs, int64_t inputs, bool has_bias, LinearLayer& linear) {
    tensor(name + ".weight", {outputs, inputs}, linear.weight);
    if (has_bias) tensor(name + ".bias", {outputs}, linear.bias);
  }

  void attention(const std::string& name, AttentionLayer& attention) {
    const int64_t C = spec_.width, HD = spec_.num_heads * spec_.head_dim, GD = spec_.num_kv_heads * spec_.head_dim;
    linear(name + ".q", HD, C, spec_.has_qkv_bias, attention.q);
    linear(name + ".k", GD, C, spec_.has_qkv_bias, attention.k);
    linear(name + ".v", GD, C, spec_.has_qkv_bias, attention.v);
    linear(name + ".o", C, HD, spec_.has_output_bias, attention.o);
    if (spec_.has_qk_norm) {
      norm(name + ".q_norm", spec_.head_dim, attention.q_norm);
      norm(name + ".k_norm", spec_.head_dim, attention.k_norm);
    }
  }

  void mlp(const std::string& name, MlpLayer& mlp) {
    const int64_t C = spec_.width, F = spec_.ffn_width;
    if (spec_.is_gated) linear(name + ".gate", F, C, spec_.has_mlp_bias, mlp.gate);
    linear(name + ".up", F, C, spec_.has_mlp_bias, mlp.up);
    linear(name + ".down", C, F, spec_.has_mlp_bias, mlp.down);
  }

  void layer(const std::string& name, TransformerBlock& layer) {
    const bool has_post_norms = spec_.norm_placement == NormPlacement::kBoth;
    norm(name + ".attention_norm", spec_.width, layer.attention_norm);
    attention(name + ".attention", layer.attention);
    if (has_post_norms) norm(name + ".attention_post_norm", spec_.width, layer.attention_post_norm);
    if (spec_.has_encoder()) {
      norm(name + ".cross_norm", spec_.width, layer.cross_norm);
      attention(name + ".cross_attention", layer.cross_attention);
    }
    norm(name + ".mlp_norm", spec_.width, layer.mlp_norm);
    mlp(name + ".mlp", layer.mlp);
    if (has_post_norms) norm(name + ".mlp_post_norm", spec_.width, layer.mlp_post_norm);
  }

  void transform(const std::string& name, HeadTransform& transform) {
    linear(name + ".dense", spec_.width, spec_.width, true, transform.dense);
    norm(name + ".norm", spec_.width, transform.norm);
  }

  void language_head(const std::string& name, LinearLayer& head) {
    if (!spec_.has_tied_head) tensor(name + ".weight", {spec_.vocab_size, spec_.width}, head.weight);
    if (spec_.has_head_bias) tensor(name + ".bias", {spec_.vocab_size}, head.bias);
  }

  void task_head(const std::string& name, TaskHead& head) {
    if (spec_.head.has_dense) linear(name + ".dense", spec_.width, spec_.width, true, head.dense);
    linear(name, spec_.head.num_labels, spec_.width, true, head.output);
  }

 private:
  const TransformerSpec& spec_;
  std::string prefix_;  // of every name
  FunctionRef<void(const ParameterInfo&, Tensor&)> visit_;
};

void visit_stack(const TransformerSpec& spec, const std::string& prefix, TransformerParameters& parameters,
                 FunctionRef<void(const ParameterInfo&, Tensor&)> visit) {
  Visitor visitor(spec, prefix, visit);
  parameters.layers.resize(spec.layers.size());
  if (spec.has_own_embedding) visitor.tensor("embedding.weight", {spec.vocab_size, spec.width}, parameters.embedding);
  if (spec.position == PositionKind::kLearned) {
    visitor.tensor("position_embedding.weight", {spec.position_offset + spec.max_context, spec.width}, parameters.position_embedding);
  }
  if (spec.num_segments > 0) {
    visitor.tensor("segment_embedding.weight", {spec.num_segments, spec.width}, parameters.segment_embedding);
  }
  if (spec.position == PositionKind::kRelative) {
    visitor.tensor("relative_bias.weight", {spec.num_buckets, spec.num_heads}, parameters.relative_bias);
  }
  if (spec.has_embedding_norm) visitor.norm("embedding_norm", spec.width, parameters.embedding_norm);
  parameters.encoder.resize(spec.encoder.size());
  if (spec.has_encoder()) visit_stack(spec.encoder[0], prefix + "encoder.", parameters.encoder[0], visit);
  for (size_t i = 0; i < parameters.layers.size(); ++i) visitor.layer("layers." + std::to_string(i), parameters.layers[i]);
  if (spec.has_final_norm) visitor.norm("final_norm", spec.width, parameters.final_norm);
  if (spec.has_pooler) visitor.linear("pooler", spec.width, spec.width, true, parameters.pooler);
  if (spec.has_head_transform) visitor.transform("head_transform", parameters.head_transform);
  if (spec.has_language_head) visitor.language_head("head", parameters.head);
  if (spec.head.kind != HeadKind::kNone) visitor.task_head(std::string("heads.") + head_def(spec.head.kind).name, parameters.task);
}

}  // namespace

void visit_parameters(const TransformerSpec& spec, TransformerParameters& parameters,
                      FunctionRef<void(const ParameterInfo&, Tensor&)> visit) {
  visit_stack(spec, "", parameters, visit);
}

bool is_multiplied(const TransformerSpec& spec, const ParameterInfo& info) {
  if (info.shape.rank() != 2 || info.name.ends_with("relative_bias.weight")) return false;
  if (info.name == "embedding.weight") return spec.has_tied_head;
  return !info.name.ends_with("embedding.weight");
}

}  // namespace atelier::nn
