#include "atelier/models/arch.h"

#include <algorithm>
#include <string_view>

#include "atelier/base/error.h"
#include "atelier/base/strings.h"

namespace atelier::models {
namespace {

// "layers.12.attention.q.weight" -> module "layers.*.attention.q", layer "12", suffix ".weight"; the same behind "encoder.".
struct LogicalName {
  std::string module, layer, suffix;
};

LogicalName parse_logical(const std::string& logical) {
  LogicalName out;
  const size_t dot = logical.rfind('.');
  out.module = logical.substr(0, dot);
  out.suffix = logical.substr(dot);
  constexpr std::string_view kLayers = "layers.", kEncoder = "encoder.";
  const size_t at = out.module.starts_with(kEncoder) ? kEncoder.size() : 0;
  if (out.module.compare(at, kLayers.size(), kLayers) == 0) {
    const size_t begin = at + kLayers.size(), end = out.module.find('.', begin);
    out.layer = out.module.substr(begin, end - begin);
    out.module.replace(begin, end - begin, "*");
  }
  return out;
}

struct Bound {
  const char* name;
  int64_t value, max;
};

// Half of the buckets of a side are exact, and the others reach further.
Status check_buckets(const nn::TransformerSpec& spec) {
  if (spec.position != nn::PositionKind::kRelative) return {};
  if (spec.num_buckets >= 4 && spec.num_buckets <= 1 << 16 && spec.max_distance > spec.num_buckets / 2 && spec.max_distance <= 1 << 16)
    return {};
  return Status::corrupt("model: " + std::to_string(spec.num_buckets) + " buckets of distances up to " + std::to_string(spec.max_distance) +
                         ", must be 4 to 65536 and reach further than half their number, at most 65536");
}

Status check_encoder(const nn::TransformerSpec& decoder) {
  if (!decoder.has_encoder()) return {};
  const nn::TransformerSpec& encoder = decoder.encoder[0];
  if (decoder.encoder.size() != 1 || encoder.has_encoder() || encoder.mask != nn::MaskKind::kBidirectional ||
      decoder.mask != nn::MaskKind::kCausal || encoder.has_language_head || encoder.head.kind != nn::HeadKind::kNone) {
    return Status::corrupt("model: its encoder is none");
  }
  if (encoder.width != decoder.width || (!encoder.has_own_embedding && encoder.vocab_size != decoder.vocab_size)) {
    return Status::corrupt("model: the encoder's width is " + std::to_string(encoder.width) + " and its vocabulary " +
                           std::to_string(encoder.vocab_size) + ", the decoder's " + std::to_string(decoder.width) + " and " +
                           std::to_string(decoder.vocab_size));
  }
  return check_spec(encoder).with_context("encoder");
}

}  // namespace

const ArchDef* find_by_hf_class(const std::string& hf_class, const Json& config) {
  for (const ArchDef* arch : architectures()) {
    const bool has_class = std::ranges::any_of(arch->hf_classes, [&](const char* name) { return hf_class == name; });
    if (has_class && (arch->is_of == nullptr || arch->is_of(config))) return arch;
  }
  return nullptr;
}

const ArchDef* find_by_gguf_name(const std::string& gguf_name) {
  for (const ArchDef* arch : architectures()) {
    if (arch->gguf_name != nullptr && gguf_name == arch->gguf_name) return arch;
  }
  return nullptr;
}

Stored stored_parameter(const ArchDef& arch, Layout layout, const std::string& logical) {
  const LogicalName name = parse_logical(logical);
  const bool is_hf = layout == Layout::kHuggingFace;
  for (const std::span<const NameRule> rules : {arch.names, arch.body_names}) {
    for (const NameRule& rule : rules) {
      const bool is_whole = name.module + name.suffix == rule.logical;
      if (!is_whole && name.module != rule.logical) continue;
      const char* pattern = is_hf ? rule.hf : rule.gguf;
      ATELIER_CHECK(pattern != nullptr);
      std::string stored = pattern;
      replace_all(stored, "*", name.layer);
      replace_all(stored, "@", arch.body);
      if (!is_whole) stored += name.suffix;
      return {stored, is_hf ? rule.hf_part : rule.gguf_part, is_hf ? rule.hf_transform : rule.gguf_transform};
    }
  }
  throw InternalError("architecture " + std::string(arch.name) + " has no name for parameter " + logical);
}

Status check_spec(const nn::TransformerSpec& spec) {
  const Bound bounds[] = {{"vocabulary size", spec.vocab_size, int64_t{1} << 24},
                          {"width", spec.width, int64_t{1} << 20},
                          {"heads", spec.num_heads, int64_t{1} << 14},
                          {"kv heads", spec.num_kv_heads, spec.num_heads},
                          {"head width", spec.head_dim, int64_t{1} << 14},
                          {"feed-forward width", spec.ffn_width, int64_t{1} << 22},
                          {"layers", spec.num_layers(), int64_t{1} << 12},
                          {"context", spec.max_context, int64_t{1} << 30}};
  for (const Bound& bound : bounds) {
    if (bound.value < 1 || bound.value > bound.max) {
      return Status::corrupt(std::string("model: ") + bound.name + " is " + std::to_string(bound.value) + ", must be 1 to " +
                             std::to_string(bound.max));
    }
  }
  if (spec.num_heads % spec.num_kv_heads != 0) {
    return Status::corrupt("model: " + std::to_string(spec.num_heads) + " heads are no multiple of " + std::to_string(spec.num_kv_heads) +
                           " kv heads");
  }
  if (!(spec.norm_eps > 0 && spec.norm_eps < 1))
    return Status::corrupt("model: norm epsilon is " + std::to_string(spec.norm_eps) + ", must be in (0, 1)");
  if (spec.position_offset < 0 || spec.position_offset > int64_t{1} << 20 || spec.num_segments < 0 ||
      spec.num_segments > int64_t{1} << 20) {
    return Status::corrupt("model: position offset is " + std::to_string(spec.position_offset) + ", segments are " +
                           std::to_string(spec.num_segments) + ", must be 0 to 1048576");
  }
  if (spec.head.kind != nn::HeadKind::kNone && (spec.head.num_labels < 1 || spec.head.num_labels > int64_t{1} << 20)) {
    return Status::corrupt("model: the head has " + std::to_string(spec.head.num_labels) + " labels, must be 1 to 1048576");
  }
  for (const nn::RopeSpec& rope : spec.ropes) {
    if (rope.rotary_dim < 2 || rope.rotary_dim % 2 != 0 || rope.rotary_dim > spec.head_dim) {
      return Status::corrupt("model: rotary width is " + std::to_string(rope.rotary_dim) +
                             ", must be even, at least 2 and at most the head width " + std::to_string(spec.head_dim));
    }
    if (!(rope.theta > 0) || !(rope.factor > 0)) {
      return Status::corrupt("model: rotary theta " + std::to_string(rope.theta) + " and factor " + std::to_string(rope.factor) +
                             " must be positive");
    }
    const size_t half = static_cast<size_t>(rope.rotary_dim / 2);
    for (const std::vector<float>* factors : {&rope.short_factors, &rope.long_factors, &rope.frequency_factors}) {
      if (!factors->empty() && factors->size() != half) {
        return Status::corrupt("model: " + std::to_string(factors->size()) + " rotary factors, want " + std::to_string(half));
      }
      if (std::ranges::any_of(*factors, [](float f) { return !(f > 0); })) return Status::corrupt("model: a rotary factor is not positive");
    }
    if (rope.scaling == nn::RopeScaling::kLongRope && (rope.short_factors.empty() || rope.long_factors.empty())) {
      return Status::corrupt("model: longrope needs short and long factors");
    }
    const bool needs_original = rope.scaling != nn::RopeScaling::kNone && rope.scaling != nn::RopeScaling::kLinear;
    if (needs_original && rope.original_context < 1) return Status::corrupt("model: rotary scaling needs the original context length");
  }
  ATELIER_RETURN_IF_ERROR(check_buckets(spec));
  ATELIER_RETURN_IF_ERROR(check_encoder(spec));
  for (const nn::LayerSpec& layer : spec.layers) {
    if (layer.window < 0) return Status::corrupt("model: sliding window is " + std::to_string(layer.window) + ", must not be negative");
    if (spec.position == nn::PositionKind::kRotary && (layer.rope < 0 || layer.rope >= static_cast<int>(spec.ropes.size()))) {
      return Status::corrupt("model: a layer names rotary table " + std::to_string(layer.rope) + " of " +
                             std::to_string(spec.ropes.size()));
    }
  }
  return Status::ok_status();
}

}  // namespace atelier::models
