// BLOOM: ALiBi instead of positions, a LayerNorm behind the embedding, query, key and value interleaved head by head.
//                                                                                        (BigScience 2022, arXiv:2211.05100)
#include "atelier/models/arch.h"
#include "atelier/models/gguf_config.h"

namespace atelier::models {
namespace {

void set_bloom_parts(nn::TransformerSpec& spec) {
  spec.norm = nn::NormKind::kLayer;
  spec.position = nn::PositionKind::kAlibi;
  spec.has_embedding_norm = true;
  spec.activation = kernels::Activation::kGeluTanh;
  spec.is_gated = false;
  spec.has_qkv_bias = spec.has_output_bias = spec.has_mlp_bias = true;
}

Result<nn::TransformerSpec> from_hf(const Json& config) {
  nn::TransformerSpec spec;
  spec.architecture = "bloom";
  set_bloom_parts(spec);
  ATELIER_TRY(spec.vocab_size, config.get_int("vocab_size"));
  ATELIER_TRY(const int64_t n_embed, config.get_int("n_embed", 64));
  ATELIER_TRY(spec.width, config.get_int("hidden_size", n_embed));
  ATELIER_TRY(const int64_t num_attention_heads, config.get_int("num_attention_heads", 8));
  ATELIER_TRY(spec.num_heads, config.get_int("n_head", num_attention_heads));
  if (spec.num_heads < 1) return Status::corrupt("config.json: n_head is " + std::to_string(spec.num_heads) + ", must be positive");
  spec.num_kv_heads = spec.num_heads;
  spec.head_dim = spec.width / spec.num_heads;
  spec.ffn_width = 4 * spec.width;
  ATELIER_TRY(spec.max_context, config.get_int("seq_length", 2048));
  ATELIER_TRY(const int64_t num_hidden_layers, config.get_int("num_hidden_layers", 2));
  ATELIER_TRY(const int64_t num_layers, config.get_int("n_layer", num_hidden_layers));
  if (num_layers < 1 || num_layers > 4096)
    return Status::corrupt("config.json: n_layer is " + std::to_string(num_layers) + ", must be 1 to 4096");
  spec.layers.resize(static_cast<size_t>(num_layers));
  ATELIER_TRY(const double eps, config.get_double("layer_norm_epsilon", 1e-5));
  spec.norm_eps = static_cast<float>(eps);
  ATELIER_TRY(const bool keeps_normed, config.get_bool("apply_residual_connection_post_layernorm", false));
  if (keeps_normed) spec.norm_placement = nn::NormPlacement::kKept;
  ATELIER_TRY(spec.has_tied_head, config.get_bool("tie_word_embeddings", true));
  return spec;
}

Result<nn::TransformerSpec> from_gguf(const format::Gguf& file) {
  const GgufKeys keys(file, "bloom");
  ATELIER_TRY(nn::TransformerSpec spec, gguf_shape(keys, "bloom"));
  set_bloom_parts(spec);
  return spec;
}

constexpr const char* kClasses[] = {"BloomForCausalLM"};

constexpr Transform kHeads = Transform::kInterleavedHeads;
constexpr NameRule kNames[] = {
    {"embedding", "transformer.word_embeddings", "token_embd"},
    {"embedding_norm", "transformer.word_embeddings_layernorm", "token_embd_norm"},
    {"layers.*.attention_norm", "transformer.h.*.input_layernorm", "blk.*.attn_norm"},
    {"layers.*.attention.q", "transformer.h.*.self_attention.query_key_value", "blk.*.attn_qkv", Part::kQuery, Part::kQuery, kHeads},
    {"layers.*.attention.k", "transformer.h.*.self_attention.query_key_value", "blk.*.attn_qkv", Part::kKey, Part::kKey, kHeads},
    {"layers.*.attention.v", "transformer.h.*.self_attention.query_key_value", "blk.*.attn_qkv", Part::kValue, Part::kValue, kHeads},
    {"layers.*.attention.o", "transformer.h.*.self_attention.dense", "blk.*.attn_output"},
    {"layers.*.mlp_norm", "transformer.h.*.post_attention_layernorm", "blk.*.ffn_norm"},
    {"layers.*.mlp.up", "transformer.h.*.mlp.dense_h_to_4h", "blk.*.ffn_up"},
    {"layers.*.mlp.down", "transformer.h.*.mlp.dense_4h_to_h", "blk.*.ffn_down"},
    {"final_norm", "transformer.ln_f", "output_norm"},
    {"head", "lm_head", "output"},
};

}  // namespace

extern const ArchDef arch_bloom;
const ArchDef arch_bloom = {.name = "bloom",
                            .summary = "BLOOM",
                            .paper = "BigScience 2022, arXiv:2211.05100",
                            .hf_classes = kClasses,
                            .gguf_name = "bloom",
                            .from_hf = from_hf,
                            .from_gguf = from_gguf,
                            .names = kNames};

}  // namespace atelier::models
