#include "atelier/convert/spec_difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "atelier/nn/rope.h"

namespace atelier::convert {
namespace {

bool is_near(double a, double b) { return std::fabs(a - b) <= 1e-5 * std::max(std::fabs(a), std::fabs(b)); }

// Gathers the first difference.
class Comparison {
 public:
  template <typename T>
  void equal(const std::string& what, const T& source, const T& target) {
    if (found_.empty() && !(source == target)) found_ = fmt::format("{} is {}, the target gives {}", what, source, target);
  }
  void near(const std::string& what, double source, double target) {
    if (found_.empty() && !is_near(source, target)) found_ = fmt::format("{} is {:.7g}, the target gives {:.7g}", what, source, target);
  }
  template <typename T>
  void same_enum(const std::string& what, T source, T target) {
    if (found_.empty() && source != target) found_ = what + " differs";
  }
  const std::string& found() const { return found_; }
  bool has_found() const { return !found_.empty(); }

 private:
  std::string found_;
};

float attention_scale(const nn::TransformerSpec& spec) {
  return spec.attention_scale != 0 ? spec.attention_scale : 1 / std::sqrt(static_cast<float>(spec.head_dim));
}

// Rotary settings are compared by the frequencies that they give, at lengths on both sides of what they depend on.
void compare_ropes(const nn::TransformerSpec& source, const nn::TransformerSpec& target, size_t layer, Comparison& comparison) {
  const nn::RopeSpec& a = source.ropes[static_cast<size_t>(source.layers[layer].rope)];
  const nn::RopeSpec& b = target.ropes[static_cast<size_t>(target.layers[layer].rope)];
  comparison.equal("rotary width", a.rotary_dim, b.rotary_dim);
  if (comparison.has_found()) return;
  for (const int64_t context : {int64_t{1}, source.max_context, 8 * source.max_context}) {
    const nn::RopeFrequencies x = nn::rope_frequencies(a, context), y = nn::rope_frequencies(b, context);
    const std::string where = fmt::format(" of layer {} at context {}", layer, context);
    for (size_t i = 0; i < x.inverse.size(); ++i)
      comparison.near(fmt::format("rotary frequency {}", i) + where, x.inverse[i], y.inverse[i]);
    comparison.near("rotary attention factor" + where, x.attention_factor, y.attention_factor);
  }
}

void compare_layers(const nn::TransformerSpec& source, const nn::TransformerSpec& target, Comparison& comparison) {
  for (size_t i = 0; i < source.layers.size() && !comparison.has_found(); ++i) {
    comparison.equal(fmt::format("window of layer {}", i), source.layers[i].window, target.layers[i].window);
    if (source.position == nn::PositionKind::kRotary) compare_ropes(source, target, i, comparison);
  }
}

}  // namespace

std::string first_difference(const nn::TransformerSpec& source, const nn::TransformerSpec& target) {
  Comparison comparison;
  comparison.equal("vocabulary size", source.vocab_size, target.vocab_size);
  comparison.equal("width", source.width, target.width);
  comparison.equal("number of layers", source.num_layers(), target.num_layers());
  comparison.equal("number of heads", source.num_heads, target.num_heads);
  comparison.equal("number of kv heads", source.num_kv_heads, target.num_kv_heads);
  comparison.equal("head width", source.head_dim, target.head_dim);
  comparison.equal("feed-forward width", source.ffn_width, target.ffn_width);
  comparison.equal("context", source.max_context, target.max_context);
  comparison.same_enum("mask", source.mask, target.mask);
  comparison.same_enum("kind of norm", source.norm, target.norm);
  comparison.same_enum("place of the norms", source.norm_placement, target.norm_placement);
  comparison.near("norm epsilon", source.norm_eps, target.norm_eps);
  comparison.equal("norm of embeddings", source.has_embedding_norm, target.has_embedding_norm);
  comparison.equal("final norm", source.has_final_norm, target.has_final_norm);
  comparison.equal("norm of queries and keys", source.has_qk_norm, target.has_qk_norm);
  comparison.same_enum("kind of positions", source.position, target.position);
  comparison.same_enum("activation", source.activation, target.activation);
  comparison.equal("gated MLP", source.is_gated, target.is_gated);
  comparison.equal("bias of query, key and value", source.has_qkv_bias, target.has_qkv_bias);
  comparison.equal("bias of the attention's output", source.has_output_bias, target.has_output_bias);
  comparison.equal("bias of the MLP", source.has_mlp_bias, target.has_mlp_bias);
  comparison.equal("first position", source.position_offset, target.position_offset);
  comparison.equal("number of segments", source.num_segments, target.num_segments);
  comparison.equal("language head", source.has_language_head, target.has_language_head);
  comparison.equal("transform before the head", source.has_head_transform, target.has_head_transform);
  comparison.equal("bias of the head", source.has_head_bias, target.has_head_bias);
  comparison.equal("pooler", source.has_pooler, target.has_pooler);
  comparison.same_enum("kind of the task's head", source.head.kind, target.head.kind);
  comparison.same_enum("problem of the task's head", source.head.problem, target.head.problem);
  comparison.equal("outputs of the task's head", source.head.num_labels, target.head.num_labels);
  comparison.equal("dense layer of the task's head", source.head.has_dense, target.head.has_dense);
  comparison.equal("tied head", source.has_tied_head, target.has_tied_head);
  comparison.near("embedding scale", source.embedding_scale, target.embedding_scale);
  comparison.near("scale of attention scores", attention_scale(source), attention_scale(target));
  comparison.near("soft cap of attention scores", source.attention_soft_cap, target.attention_soft_cap);
  comparison.near("soft cap of logits", source.final_soft_cap, target.final_soft_cap);
  comparison.near("scale of the output", source.output_scale, target.output_scale);
  comparison.equal("buckets of distances", source.num_buckets, target.num_buckets);
  comparison.equal("longest distance", source.max_distance, target.max_distance);
  comparison.equal("embedding of its own", source.has_own_embedding, target.has_own_embedding);
  comparison.equal("encoder", source.has_encoder(), target.has_encoder());
  if (!comparison.has_found()) compare_layers(source, target, comparison);
  if (comparison.has_found() || !source.has_encoder()) return comparison.found();
  const std::string of_encoder = first_difference(source.encoder[0], target.encoder[0]);
  return of_encoder.empty() ? of_encoder : "of the encoder: " + of_encoder;
}

}  // namespace atelier::convert
