// What is trained beside a model, or of it, instead of all its weights.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "atelier/base/status.h"

namespace atelier::models {

enum class AdapterKind : uint8_t { kNone, kLora, kIa3, kPrompt, kPrefix, kBottleneck, kBitFit };

// Values for single modules, by what PEFT calls patterns: the first one that is the end of a module's name (as a regular expression, behind
// a dot or at the beginning) counts.
using ModulePatterns = std::vector<std::pair<std::string, double>>;

struct LoraOptions {
  int64_t rank = 0;   // r; 0: no LoRA
  double alpha = 16;  // y += alpha / r * B(A(x)); alpha / sqrt(r) with is_rank_stabilized
  bool is_rank_stabilized = false;
  bool has_magnitudes = false;  // DoRA
  double dropout = 0;           // on x
  // Linear layers by the last parts of their names here ("q") or in checkpoints ("q_proj", "mlp.down_proj"), or one regular expression for
  // whole names; "embedding" too. Empty, or "all-linear": every linear layer of the blocks.
  std::vector<std::string> targets;
  std::vector<int64_t> layers;  // of these blocks only; empty: all
  ModulePatterns ranks, alphas;
  std::vector<std::string> whole_modules;  // PEFT's modules_to_save: "embedding", "head"
};

struct AdapterOptions {
  AdapterKind kind = AdapterKind::kNone;  // kNone: LoRA if its rank says so
  int64_t num_virtual = 20;               // of kPrompt and kPrefix
  int64_t width = 64;                     // of kBottleneck: R
  std::string activation = "relu";        // of kBottleneck: relu, swish, gelu
  bool is_double = false;                 // of kBottleneck: behind attention and MLP (Houlsby), or behind the MLP alone (Pfeiffer)
};

// The module's value: that of the first pattern that fits, or `fallback`. InvalidArgument for a pattern that is no regular expression.
Result<double> pattern_value(const ModulePatterns& patterns, const std::string& module, double fallback);

// Whether LoRA's targets name a linear layer: `short_name` "q", `module` "model.layers.3.self_attn.q_proj".
Result<bool> is_targeted(const std::vector<std::string>& targets, const std::string& short_name, const std::string& module);

}  // namespace atelier::models
