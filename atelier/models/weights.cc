#include "atelier/models/weights.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "atelier/base/error.h"
#include "atelier/base/strings.h"
#include "atelier/models/resident_weights.h"
#include "atelier/parallel/parallel.h"
#include "atelier/quant/quant.h"

namespace atelier::models {
namespace {

std::string shape_text(std::span<const int64_t> shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

bool is_weight_type(DType dtype) { return is_quantized(dtype) || dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16; }

// The stored tensor's shape as the parameter and its place in it imply.
Status check_shape(const format::TensorEntry& entry, const Stored& stored, const nn::ParameterInfo& info, const PartRows& part) {
  const bool is_row = info.shape.rank() == 1 && entry.shape.size() == 2 && entry.shape[0] == 1;  // a vector as a matrix of one row
  std::vector<int64_t> want = {part.total};
  if (is_row) want.insert(want.begin(), 1);
  if (info.shape.rank() == 2) want.push_back(info.shape[1]);
  if (info.shape.rank() == 2 && stored.transform == Transform::kTranspose) std::swap(want[0], want[1]);
  if (entry.shape != want) {
    return Status::corrupt("checkpoint: tensor " + quoted(entry.name) + " is " + shape_text(entry.shape) + ", the configuration says " +
                           shape_text(want));
  }
  const bool is_plain = stored.transform == Transform::kNone || stored.transform == Transform::kRotaryPairs;
  const bool is_vector = info.shape.rank() == 1;
  if (!is_weight_type(entry.dtype) || (is_quantized(entry.dtype) && (is_vector || !is_plain))) {
    return Status::unsupported("checkpoint: tensor " + quoted(entry.name) + " has type " + dtype_name(entry.dtype) +
                               (is_vector ? ", want F32, F16 or BF16" : ", which this layout cannot hold"));
  }
  return Status::ok_status();
}

// Vectors: float32, with 1 added where the checkpoint keeps w and the model uses 1 + w.
Tensor load_vector(const format::TensorEntry& entry, Transform transform, const PartRows& part) {
  const int64_t element = row_bytes(entry.dtype, 1);
  Tensor out = Tensor::zeros(DType::kF32, {part.count});
  quant::to_f32(entry.dtype, static_cast<const uint8_t*>(entry.data) + part.begin * element, out.f32(), part.count);
  if (transform == Transform::kOneLess) {
    for (int64_t i = 0; i < part.count; ++i) out.f32()[i] += 1;
  }
  return out;
}

// Stored [K, total]: columns part.begin … become rows.
Tensor load_transposed(const format::TensorEntry& entry, const nn::ParameterInfo& info, const PartRows& part) {
  const int64_t element = row_bytes(entry.dtype, 1), K = info.shape[1];
  Tensor out = Tensor::zeros(entry.dtype, info.shape);
  const auto* source = static_cast<const uint8_t*>(entry.data);
  auto* target = static_cast<uint8_t*>(out.mutable_data());
  for (int64_t n = 0; n < part.count; ++n) {
    for (int64_t k = 0; k < K; ++k) {
      std::memcpy(target + (n * K + k) * element, source + (k * part.total + part.begin + n) * element, static_cast<size_t>(element));
    }
  }
  return out;
}

// Stored [H, 3, D] rows: the D rows of this part, head after head.
Tensor load_interleaved(const nn::TransformerSpec& spec, const format::TensorEntry& entry, const nn::ParameterInfo& info, Part part) {
  const int64_t bytes = row_bytes(entry.dtype, info.shape.rank() == 2 ? info.shape[1] : 1);
  const int64_t which = part == Part::kQuery ? 0 : part == Part::kKey ? 1 : 2;
  Tensor out = Tensor::zeros(entry.dtype, info.shape);
  for (int64_t h = 0; h < spec.num_heads; ++h) {
    const int64_t block = spec.head_dim * bytes;
    std::memcpy(static_cast<uint8_t*>(out.mutable_data()) + h * block, static_cast<const uint8_t*>(entry.data) + (3 * h + which) * block,
                static_cast<size_t>(block));
  }
  return out;
}

Tensor as_f32(const Tensor& x) {
  if (x.dtype() == DType::kF32) return x;
  Tensor out = Tensor::zeros(DType::kF32, x.shape());
  quant::to_f32(x.dtype(), x.data(), out.f32(), x.count());
  return out;
}

// A float matrix in another type; as it is where that is a block type already, or its rows are no whole blocks of `type`.
Tensor as_type(const Tensor& x, DType type) {
  if (is_quantized(x.dtype()) || x.dtype() == type || x.dim(1) % dtype_info(type).block_size != 0) return x;
  const Tensor values = as_f32(x);
  Tensor out = Tensor::zeros(type, x.shape());
  const int64_t K = x.dim(1), stride = row_bytes(type, K);
  parallel_for(x.dim(0), 16, [&](int64_t begin, int64_t end, int) {
    for (int64_t n = begin; n < end; ++n) {
      quant::from_f32(type, values.f32() + n * K, static_cast<uint8_t*>(out.mutable_data()) + n * stride, K);
    }
  });
  return out;
}

// A view of the mapped rows; float elements that the file does not align are copied.
Tensor load_plain(const format::TensorEntry& entry, const nn::ParameterInfo& info, const PartRows& part) {
  const int64_t stride = row_bytes(entry.dtype, info.shape[1]);
  const auto* data = static_cast<const uint8_t*>(entry.data) + part.begin * stride;
  const auto alignment = is_quantized(entry.dtype) ? uintptr_t{2} : static_cast<uintptr_t>(row_bytes(entry.dtype, 1));
  if (reinterpret_cast<uintptr_t>(data) % alignment == 0) return Tensor::view(entry.dtype, info.shape, data, entry.owner);
  Tensor copy = Tensor::zeros(entry.dtype, info.shape);
  std::memcpy(copy.mutable_data(), data, static_cast<size_t>(copy.num_bytes()));
  return copy;
}

Tensor load_tensor(const nn::TransformerSpec& spec, const format::TensorEntry& entry, const Stored& stored, const nn::ParameterInfo& info,
                   const PartRows& part) {
  if (stored.transform == Transform::kInterleavedHeads) {
    Tensor out = load_interleaved(spec, entry, info, stored.part);
    return info.shape.rank() == 1 ? as_f32(out) : out;
  }
  if (info.shape.rank() == 1) return load_vector(entry, stored.transform, part);
  return stored.transform == Transform::kTranspose ? load_transposed(entry, info, part) : load_plain(entry, info, part);
}

}  // namespace

PartRows part_rows(const nn::TransformerSpec& spec, Part part, int64_t whole_rows) {
  const int64_t HD = spec.num_heads * spec.head_dim, GD = spec.num_kv_heads * spec.head_dim, F = spec.ffn_width;
  switch (part) {
    case Part::kWhole:
      return {0, whole_rows, whole_rows};
    case Part::kQuery:
      return {0, HD, HD + 2 * GD};
    case Part::kKey:
      return {HD, GD, HD + 2 * GD};
    case Part::kValue:
      return {HD + GD, GD, HD + 2 * GD};
    case Part::kGate:
      return {0, F, 2 * F};
    case Part::kUp:
      return {F, F, 2 * F};
  }
  throw InternalError("unknown part");
}

int64_t paired_row(int64_t n, int64_t D) {
  const int64_t head = n / D, i = n % D, half = D / 2;
  return head * D + (i < half ? 2 * i : 2 * (i - half) + 1);
}

int64_t stored_row(const nn::TransformerSpec& spec, const Stored& stored, int64_t rows, int64_t n) {
  if (stored.transform == Transform::kInterleavedHeads) {
    const int64_t which = stored.part == Part::kQuery ? 0 : stored.part == Part::kKey ? 1 : 2;
    return (3 * (n / spec.head_dim) + which) * spec.head_dim + n % spec.head_dim;
  }
  const int64_t begin = part_rows(spec, stored.part, rows).begin;
  return begin + (stored.transform == Transform::kRotaryPairs ? paired_row(n, spec.head_dim) : n);
}

const format::TensorEntry* find_tensor(const format::Checkpoint& checkpoint, const std::string& name) {
  if (const format::TensorEntry* entry = checkpoint.find(name)) return entry;
  for (const char* prefix : {"language_model.", "model.language_model.", "model.", "transformer."}) {
    if (const format::TensorEntry* entry = checkpoint.find(prefix + name)) return entry;
  }
  for (const std::string_view prefix : {"model.", "transformer.", "bert.", "roberta.", "distilbert."}) {
    if (!name.starts_with(prefix)) continue;
    const std::string base = name.substr(prefix.size());
    if (const format::TensorEntry* entry = checkpoint.find(base)) return entry;
    if (const format::TensorEntry* entry = checkpoint.find("model.language_model." + base)) return entry;
  }
  // TensorFlow's names of a norm's parameters, in the first BERT checkpoints.
  for (const auto& [suffix, old_suffix] :
       {std::pair(".LayerNorm.weight", ".LayerNorm.gamma"), std::pair(".LayerNorm.bias", ".LayerNorm.beta")}) {
    if (!name.ends_with(suffix)) continue;
    return find_tensor(checkpoint, name.substr(0, name.size() - std::string_view(suffix).size()) + old_suffix);
  }
  return nullptr;
}

Result<nn::TransformerParameters> load_parameters(const ArchDef& arch, Layout layout, const nn::TransformerSpec& spec,
                                                  const format::Checkpoint& checkpoint, bool is_to_run, std::optional<DType> type) {
  nn::TransformerParameters parameters;
  std::vector<LoadedMatrix> matrices;
  Status status;
  nn::visit_parameters(spec, parameters, [&](const nn::ParameterInfo& info, Tensor& tensor) {
    if (!status.ok()) return;
    const Stored stored = stored_parameter(arch, layout, info.name);
    const format::TensorEntry* entry = find_tensor(checkpoint, stored.name);
    if (entry == nullptr) {
      status = Status::corrupt("checkpoint: tensor " + quoted(stored.name) + " of architecture " + arch.name + " is missing");
      return;
    }
    const PartRows part = part_rows(spec, stored.part, info.shape[0]);
    status = check_shape(*entry, stored, info, part);
    if (!status.ok()) return;
    tensor = load_tensor(spec, *entry, stored, info, part);
    if (!is_to_run || !nn::is_multiplied(spec, info)) return;
    if (type) tensor = as_type(tensor, *type);
    matrices.push_back({&tensor, entry});
  });
  ATELIER_RETURN_IF_ERROR(status);
  ATELIER_RETURN_IF_ERROR(make_resident(matrices));
  return parameters;
}

}  // namespace atelier::models
