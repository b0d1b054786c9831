#include "atelier/convert/presets.h"

#include <vector>

#include "atelier/base/strings.h"

namespace atelier::convert {
namespace {

constexpr Preset kPresets[] = {
    {"F32", DType::kF32, Mixture::kPlain, 0, "32-bit floats"},
    {"F16", DType::kF16, Mixture::kPlain, 1, "16-bit floats"},
    {"BF16", DType::kBF16, Mixture::kPlain, 32, "16-bit floats with the range of 32-bit ones"},
    {"Q8_0", DType::kQ8_0, Mixture::kPlain, 7, "8 bits: indistinguishable in practice"},
    {"Q6_K", DType::kQ6_K, Mixture::kPlain, 18, "6 bits: very small loss"},
    {"Q5_K_M", DType::kQ5_K, Mixture::kQ5_K_M, 17, "5 bits, 6 where it matters: small loss"},
    {"Q5_K_S", DType::kQ5_K, Mixture::kQ5_K_S, 16, "5 bits: small loss"},
    {"Q5_1", DType::kQ5_1, Mixture::kPlain, 9, "5 bits with a minimum; older"},
    {"Q5_0", DType::kQ5_0, Mixture::kPlain, 8, "5 bits; older"},
    {"Q4_K_M", DType::kQ4_K, Mixture::kQ4_K_M, 15, "4 bits, 6 where it matters: the usual choice"},
    {"Q4_K_S", DType::kQ4_K, Mixture::kQ4_K_S, 14, "4 bits, 5 in the first layers"},
    {"Q4_1", DType::kQ4_1, Mixture::kPlain, 3, "4 bits with a minimum; older"},
    {"Q4_0", DType::kQ4_0, Mixture::kPlain, 2, "4 bits; older, fastest"},
    {"Q3_K_L", DType::kQ3_K, Mixture::kQ3_K_L, 13, "3 bits, 5 where it matters: clear loss"},
    {"Q3_K_M", DType::kQ3_K, Mixture::kQ3_K_M, 12, "3 bits, 4 and 5 where it matters: clear loss"},
    {"Q3_K_S", DType::kQ3_K, Mixture::kQ3_K_S, 11, "3 bits: high loss"},
    {"Q2_K", DType::kQ2_K, Mixture::kQ2_K, 10, "2 bits, 3 and 4 where it matters: extreme loss"},
};

// The role of a tensor, as far as the rules care.
enum class Role : uint8_t { kOutput, kEmbedding, kAttentionValue, kAttentionOutput, kMlpDown, kOther };

Role role_of(const std::string& name) {
  const auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
  if (name == "output.weight") return Role::kOutput;
  if (name == "token_embd.weight") return Role::kEmbedding;
  if (has("attn_qkv.weight") || has("attn_v.weight")) return Role::kAttentionValue;
  if (has("attn_output.weight")) return Role::kAttentionOutput;
  if (has("ffn_down")) return Role::kMlpDown;
  return Role::kOther;
}

// The number in "blk.12.…"; 0 without one.
int64_t layer_of(const std::string& name) {
  constexpr std::string_view kBlock = "blk.";
  if (!name.starts_with(kBlock)) return 0;
  const std::string_view rest = std::string_view(name).substr(kBlock.size());
  return parse_int(rest.substr(0, rest.find('.'))).value_or(0);
}

// The first and last eighth of the layers and every third between them.
bool deserves_more_bits(int64_t layer, int64_t num_layers) {
  const int64_t eighth = num_layers / 8;
  return layer < eighth || layer >= 7 * num_layers / 8 || (layer - eighth) % 3 == 2;
}

DType attention_value_type(const Preset& preset, const ModelFacts& facts, int64_t layer) {
  const int64_t queries_per_key = facts.num_kv_heads > 0 ? facts.num_heads / facts.num_kv_heads : 1;
  DType type = preset.type;
  if (preset.mixture == Mixture::kQ2_K) type = queries_per_key >= 4 ? DType::kQ4_K : DType::kQ3_K;
  if (preset.mixture == Mixture::kQ3_K_M) type = layer < 2 ? DType::kQ5_K : DType::kQ4_K;
  if (preset.mixture == Mixture::kQ3_K_L) type = DType::kQ5_K;
  if (preset.mixture == Mixture::kQ4_K_S && layer < 4) type = DType::kQ5_K;
  const bool is_medium = preset.mixture == Mixture::kQ4_K_M || preset.mixture == Mixture::kQ5_K_M;
  if (is_medium && deserves_more_bits(layer, facts.num_layers)) type = DType::kQ6_K;
  // The 70B models: eight query heads share each value head, so its matrix is small and worth a bit more.
  const bool is_70b = facts.num_layers == 80 && queries_per_key > 1;
  return is_70b && (type == DType::kQ3_K || type == DType::kQ4_K) ? DType::kQ5_K : type;
}

DType mlp_down_type(const Preset& preset, const ModelFacts& facts, int64_t layer) {
  const bool is_first_eighth = layer < facts.num_layers / 8;
  const bool is_sensitive = deserves_more_bits(layer, facts.num_layers);
  switch (preset.mixture) {
    case Mixture::kQ2_K:
      return DType::kQ3_K;
    case Mixture::kQ3_K_M:
      return layer < facts.num_layers / 16 ? DType::kQ5_K : DType::kQ4_K;
    case Mixture::kQ3_K_L:
      return DType::kQ5_K;
    case Mixture::kQ4_K_S:
      return is_first_eighth ? DType::kQ5_K : preset.type;
    case Mixture::kQ4_K_M:
    case Mixture::kQ5_K_M:
      return is_sensitive ? DType::kQ6_K : preset.type;
    default:
      break;
  }
  // A fitted scale can go wrong on the first of these matrices, whose outliers are large: a minimum of its own helps.
  if (facts.has_importance && is_first_eighth && preset.type == DType::kQ4_0) return DType::kQ4_1;
  if (facts.has_importance && is_first_eighth && preset.type == DType::kQ5_0) return DType::kQ5_1;
  return preset.type;
}

DType attention_output_type(const Preset& preset) {
  if (preset.mixture == Mixture::kQ2_K) return DType::kQ3_K;
  if (preset.mixture == Mixture::kQ3_K_M) return DType::kQ4_K;
  if (preset.mixture == Mixture::kQ3_K_L) return DType::kQ5_K;
  return preset.type;
}

DType output_type(const Preset& preset, int64_t row_length) {
  if (row_length % dtype_info(preset.type).block_size != 0) return DType::kQ8_0;
  return preset.type == DType::kQ8_0 ? DType::kQ8_0 : DType::kQ6_K;
}

DType wanted_type(const Preset& preset, const ModelFacts& facts, const std::string& name, int64_t row_length) {
  if (!is_quantized(preset.type)) return preset.type;
  const int64_t layer = layer_of(name);
  switch (role_of(name)) {
    case Role::kOutput:
      return output_type(preset, row_length);
    case Role::kEmbedding:
      return facts.has_tied_head ? output_type(preset, row_length) : preset.type;
    case Role::kAttentionValue:
      return attention_value_type(preset, facts, layer);
    case Role::kAttentionOutput:
      return attention_output_type(preset);
    case Role::kMlpDown:
      return mlp_down_type(preset, facts, layer);
    case Role::kOther:
      return preset.type;
  }
  return preset.type;
}

// The type with blocks of 32 that stands in where a row is no multiple of 256.
DType stand_in(DType type) {
  switch (type) {
    case DType::kQ2_K:
    case DType::kQ3_K:
      return DType::kQ4_0;
    case DType::kQ4_K:
      return DType::kQ5_0;
    case DType::kQ5_K:
      return DType::kQ5_1;
    case DType::kQ6_K:
      return DType::kQ8_0;
    default:
      return DType::kF16;
  }
}

bool is_matrix_to_quantize(const format::TensorInfo& tensor) {
  const bool is_float =
      is_quantized(tensor.dtype) || tensor.dtype == DType::kF32 || tensor.dtype == DType::kF16 || tensor.dtype == DType::kBF16;
  if (!is_float || tensor.shape.size() < 2 || !tensor.name.ends_with("weight")) return false;
  for (const char* kept : {"_norm.weight", "position_embd.weight", "token_types.weight", "ffn_gate_inp.weight"}) {
    if (tensor.name.find(kept) != std::string::npos) return false;
  }
  return true;
}

}  // namespace

std::span<const Preset> presets() { return kPresets; }

Result<const Preset*> find_preset(std::string_view name) {
  const std::string asked = to_lower_ascii(name);
  const bool is_family = asked == "q3_k" || asked == "q4_k" || asked == "q5_k";
  const std::string meant = is_family ? asked + "_m" : asked;
  std::vector<std::string> known;
  for (const Preset& preset : kPresets) {
    if (equals_ignoring_case(preset.name, meant)) return &preset;
    known.emplace_back(preset.name);
  }
  const std::string nearest = nearest_name(name, known);
  return Status::invalid("type " + quoted(name) + " cannot be written; " +
                         (nearest.empty() ? "known: " + join(known, ", ") : "did you mean " + nearest + "?"));
}

TypeChoice choose_type(const Preset& preset, const ModelFacts& facts, const format::TensorInfo& tensor) {
  if (!is_matrix_to_quantize(tensor)) return {tensor.dtype};
  const int64_t row_length = tensor.shape.back();
  DType type = wanted_type(preset, facts, tensor.name, row_length);
  bool is_fallback = false;
  while (row_length % dtype_info(type).block_size != 0) {
    type = stand_in(type);
    is_fallback = true;
  }
  return {type, is_fallback};
}

}  // namespace atelier::convert
