// One transformer, described by data: which parts a decoder or an encoder is made of and how large they are, and which encoder a decoder
// listens to.
//
// A file of models/ fills a TransformerSpec from an architecture's configuration; nn/transformer.h runs it. A field exists when at
// least two architectures need it or when it changes the computation; what only a checkpoint's layout needs stays in models/.
// Letters: C model width, H heads, G kv heads, D head width, F feed-forward width, V vocabulary, L layers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "atelier/kernels/kernels.h"
#include "atelier/nn/heads.h"

namespace atelier::nn {

enum class NormKind : uint8_t { kRms, kLayer };

// Where a block normalises:  pre   x + f(norm(x))          Llama, GPT-2, BLOOM
//                            post  norm(x + f(x))          Transformer 2017, GPT-1
//                            both  x + post(f(pre(x)))     Gemma 2 and 3
//                            kept  n + f(n), n = norm(x)   BLOOM's apply_residual_connection_post_layernorm
enum class NormPlacement : uint8_t { kPre, kPost, kBoth, kKept };

// Which rows of its sequence a row sees: those up to itself, or all (an encoder).
enum class MaskKind : uint8_t { kCausal, kBidirectional };

// kSinusoidal: sines and cosines of fixed frequencies are added to the embedding (Vaswani et al. 2017, 3.5; the sines in the first half
// of the width, as Marian has them). kRelative: scores have a bias by distance, learned in buckets (Raffel et al. 2020, 2.1).
enum class PositionKind : uint8_t { kRotary, kLearned, kAlibi, kSinusoidal, kRelative };

enum class RopeScaling : uint8_t { kNone, kLinear, kDynamic, kYarn, kLlama3, kLongRope };

// Rotary frequencies: theta^(-2i/R), changed by one of the published ways to reach longer contexts.
struct RopeSpec {
  double theta = 10000;
  int64_t rotary_dim = 0;  // R: the first R values of each head are rotated
  RopeScaling scaling = RopeScaling::kNone;
  double factor = 1;
  int64_t original_context = 0;  // trained length; dynamic, yarn, llama3 and longrope compare with it
  double attention_factor = 0;   // multiplies cos and sin; 0: what the method derives from `factor`
  double low_freq_factor = 1;    // llama3
  double high_freq_factor = 4;   // llama3
  double beta_fast = 32;         // yarn
  double beta_slow = 1;          // yarn
  double mscale = 0;             // yarn (DeepSeek): with mscale_all_dim replaces the derived attention factor
  double mscale_all_dim = 0;
  bool truncate = true;                  // yarn: correction range rounded to whole dimensions
  std::vector<float> short_factors;      // longrope [R/2]
  std::vector<float> long_factors;       // longrope [R/2]
  std::vector<float> frequency_factors;  // divisors stored in a GGUF file ("rope_freqs") [R/2], instead of a method
};

// What may differ from layer to layer.
struct LayerSpec {
  int64_t window = 0;  // sees this many latest keys; 0: all
  int rope = 0;        // index into TransformerSpec::ropes
};

struct TransformerSpec {
  std::string architecture;  // the ArchDef's name
  int64_t vocab_size = 0;    // V
  int64_t width = 0;         // C
  int64_t num_heads = 0;     // H
  int64_t num_kv_heads = 0;  // G
  int64_t head_dim = 0;      // D
  int64_t ffn_width = 0;     // F
  int64_t max_context = 0;   // positions the model was made for
  std::vector<LayerSpec> layers;

  MaskKind mask = MaskKind::kCausal;
  NormKind norm = NormKind::kRms;
  NormPlacement norm_placement = NormPlacement::kPre;
  float norm_eps = 1e-5f;
  bool has_embedding_norm = false;  // BLOOM, BERT
  bool has_final_norm = true;       // GPT-1 has none
  bool has_qk_norm = false;         // RMS norm of each head's query and key: Qwen3, Gemma 3

  PositionKind position = PositionKind::kRotary;
  int64_t position_offset = 0;  // learned: row 0 is at this row of the table; RoBERTa: the pad's id + 1
  int64_t num_segments = 0;     // kinds of tokens with an embedding of their own, BERT's text A and B; 0: none
  int64_t num_buckets = 0;      // relative: of distances, half of them exact
  int64_t max_distance = 0;     // relative: from here on all are one bucket
  std::vector<RopeSpec> ropes;
  kernels::RotaryLayout rotary_layout = kernels::RotaryLayout::kHalves;

  kernels::Activation activation = kernels::Activation::kSilu;
  bool is_gated = true;  // down(f(gate(x)) * up(x)), else down(f(up(x)))
  bool has_qkv_bias = false;
  bool has_output_bias = false;  // of the attention's output projection
  bool has_mlp_bias = false;

  // The language head: logits[v] = weight[v] . f(hidden), f the identity or norm(activation(dense(hidden))) as in BERT.
  bool has_language_head = true;
  bool has_head_transform = false;
  bool has_head_bias = false;
  bool has_tied_head = false;  // its weight is the embedding table
  bool has_pooler = false;     // tanh(dense(first row)): what BERT's heads for whole texts read
  HeadSpec head;               // for a task, beside the language head or in its place

  // The encoder whose states every layer attends to behind its own attention (Vaswani et al. 2017); none or one. Its width is the
  // decoder's.
  std::vector<TransformerSpec> encoder;
  bool has_own_embedding = true;  // false: an encoder that reads its decoder's table

  float embedding_scale = 1;
  float output_scale = 1;        // of the hidden states that the language head reads: T5's 1 / sqrt(C)
  float attention_scale = 0;     // of q.k; 0: 1 / sqrt(D)
  float attention_soft_cap = 0;  // 0: none
  float final_soft_cap = 0;      // on the logits; 0: none

  int64_t num_layers() const { return static_cast<int64_t>(layers.size()); }
  bool has_encoder() const { return !encoder.empty(); }
};

}  // namespace atelier::nn
