// What `quantize` can make: a type for most matrices, and rules that give the sensitive ones more bits.
//
// Names, rules and fallbacks are llama.cpp's, so that "Q4_K_M" here and there is the same choice for every tensor: the output matrix
// (or the embedding that serves as one) gets Q6_K, values and the second matrix of the MLP get more bits in the layers that need it.
// Norms, vectors and learned positions keep their type.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "atelier/base/dtype.h"
#include "atelier/base/status.h"
#include "atelier/format/checkpoint.h"

namespace atelier::convert {

enum class Mixture : uint8_t { kPlain, kQ2_K, kQ3_K_S, kQ3_K_M, kQ3_K_L, kQ4_K_S, kQ4_K_M, kQ5_K_S, kQ5_K_M };

struct Preset {
  const char* name;     // "Q4_K_M"
  DType type;           // of the tensors that no rule names
  Mixture mixture;      // which rules apply
  uint32_t file_type;   // general.file_type in GGUF
  const char* summary;  // one line
};

std::span<const Preset> presets();

// By name in any case; "Q4_K" means Q4_K_M, likewise Q3_K and Q5_K. The error names the nearest.
Result<const Preset*> find_preset(std::string_view name);

// What the rules ask about a model.
struct ModelFacts {
  int64_t num_layers = 0, num_heads = 0, num_kv_heads = 0;
  bool has_tied_head = false;
  bool has_importance = false;
};

struct TypeChoice {
  DType type;
  bool is_fallback = false;  // the row is no multiple of the block that the rules wanted
};

// The type of `tensor`, which carries its name in GGUF ("blk.0.attn_v.weight"), its shape and the type that it has now.
TypeChoice choose_type(const Preset& preset, const ModelFacts& facts, const format::TensorInfo& tensor);

}  // namespace atelier::convert
