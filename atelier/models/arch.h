// An architecture: how its configuration reads, and what its checkpoints call each parameter.
//
// One file of models/ is one ArchDef; CMake writes the table `architectures()`. What a model computes is nn/; a file here is
// short: configuration -> TransformerSpec, and a table of names for Hugging Face and GGUF checkpoints.
#pragma once

#include <span>
#include <string>

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/nn/spec.h"

namespace atelier::format {
class Gguf;
}

namespace atelier::models {

enum class Layout : uint8_t { kHuggingFace, kGguf };

// How the stored elements differ from the parameter.
enum class Transform : uint8_t {
  kNone,
  kTranspose,         // stored [K, N]: GPT-2's Conv1D. Vectors are unchanged
  kOneLess,           // stored w, applied as 1 + w: Gemma's norms
  kRotaryPairs,       // rows of each head stored so that rotary pairs are neighbours: GGUF's "llama". The runtime reads them as they
                      // are and rotates neighbours (RotaryLayout::kInterleaved); only convert/ reorders
  kInterleavedHeads,  // q, k, v of one head after another [H, 3, D]: BLOOM
};

// Which rows of a stored tensor a parameter is, when several are stored as one.
enum class Part : uint8_t { kWhole, kQuery, kKey, kValue, kGate, kUp };

// Names of one module without its ".weight" or ".bias"; "*" stands for the layer's number. A rule for a single parameter ("head.bias")
// comes before that of its module and has its whole name.
struct NameRule {
  const char* logical;  // "layers.*.attention.q", as nn::visit_parameters spells it
  const char* hf;       // "model.layers.*.self_attn.q_proj"
  const char* gguf;     // "blk.*.attn_q"; null when llama.cpp has no such architecture
  Part hf_part = Part::kWhole;
  Part gguf_part = Part::kWhole;
  Transform hf_transform = Transform::kNone;
  Transform gguf_transform = Transform::kNone;
};

struct ArchDef {
  const char* name;     // "llama"
  const char* summary;  // one line: what it is, which models
  const char* paper;
  std::span<const char* const> hf_classes;  // config.json "architectures"
  const char* gguf_name;                    // general.architecture, or null
  Result<nn::TransformerSpec> (*from_hf)(const Json& config);
  Result<nn::TransformerSpec> (*from_gguf)(const format::Gguf& file);  // null without gguf_name
  std::span<const NameRule> names;
  std::span<const NameRule> body_names = {};    // more of them, shared by relatives: "@" stands for `body`
  const char* body = "";                        // what transformers calls the model under its heads: "bert"
  bool (*is_of)(const Json& config) = nullptr;  // where architectures share a class: whether a config.json is of this one
};

// Every architecture, by file name.
std::span<const ArchDef* const> architectures();

// The architecture of a config.json whose Hugging Face class ("LlamaForCausalLM") is `hf_class`, or of a GGUF name; null when there is
// none.
const ArchDef* find_by_hf_class(const std::string& hf_class, const Json& config = {});
const ArchDef* find_by_gguf_name(const std::string& gguf_name);

// Where a layout stores the parameter `logical` ("layers.3.attention.q.weight").
struct Stored {
  std::string name;
  Part part = Part::kWhole;
  Transform transform = Transform::kNone;
};
Stored stored_parameter(const ArchDef& arch, Layout layout, const std::string& logical);

// Refuses a spec whose sizes are absurd or do not fit together; every loader calls it before anything is allocated.
Status check_spec(const nn::TransformerSpec& spec);

}  // namespace atelier::models
