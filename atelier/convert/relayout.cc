#include "atelier/convert/relayout.h"

#include <algorithm>
#include <map>
#include <string>

#include "atelier/base/error.h"
#include "atelier/models/weights.h"
#include "atelier/tensor/matrix_rows.h"

namespace atelier::convert {
namespace {

using models::paired_row;
using models::Stored;
using models::stored_row;
using models::Transform;

// A parameter of the loaded model, read in Hugging Face's row order.
struct Parameter {
  std::string name;
  Tensor tensor;
  bool has_paired_rows;  // its rows are still in the order of GGUF's "llama"
  int64_t head_dim;
  std::vector<nn::AppliedLinear> adapters;  // rows in the order of the tensor's

  int64_t num_rows() const { return tensor.dim(0); }
  bool is_vector() const { return tensor.shape().rank() == 1; }
  void read_row(int64_t n, float* out) const {
    const int64_t K = is_vector() ? 1 : tensor.dim(1);
    const int64_t at = has_paired_rows ? paired_row(n, head_dim) : n;
    atelier::read_row(tensor, at, out);
    if (adapters.empty()) return;
    if (is_vector()) {
      *out = nn::merged_bias(adapters, at, *out);
    } else {
      nn::merge_row(adapters, at, K, out);
    }
  }
};

// Low-rank additions to a table of embeddings, b [C, R] and a [V, R] of rows that are looked up, as those of a linear layer.
nn::AppliedLinear addition_to_table(const ops::LowRank& embedding, float weight) {
  const int64_t C = embedding.b.dim(0), R = embedding.b.dim(1);
  Tensor turned = Tensor::zeros(DType::kF32, {R, C});
  for (int64_t c = 0; c < C; ++c) {
    for (int64_t r = 0; r < R; ++r) turned.f32()[r * C + c] = embedding.b.f32()[c * R + r];
  }
  nn::AppliedLinear out;
  out.adapter.low_rank = {turned, embedding.a, embedding.scale};
  out.weight = weight;
  return out;
}

// What an adapter adds to a bias, by its name; none: no tensor.
Tensor added_to_bias(const nn::TransformerSpec& spec, const nn::Adapter& adapter, const std::string& name) {
  if (adapter.biases.layers.empty()) return {};
  Tensor found;
  nn::TransformerParameters biases = adapter.biases;  // views
  nn::visit_parameters(spec, biases, [&](const nn::ParameterInfo& info, Tensor& tensor) {
    if (info.name == name) found = tensor;
  });
  return found;
}

// "layers.3.attention.q.weight" (or ".bias") -> what the adapters make of it.
std::vector<nn::AppliedLinear> adapters_of(const ModelWeights& model, const std::string& name) {
  std::vector<nn::AppliedLinear> out;
  const bool is_bias = name.ends_with(".bias");
  for (const ModelWeights::Addition& addition : model.additions) {
    const nn::Adapter& adapter = *addition.adapter;
    if (const Tensor bias = is_bias ? added_to_bias(model.spec, adapter, name) : Tensor()) out.push_back({{}, bias, addition.weight});
    if (name == "embedding.weight" && adapter.embedding.a) out.push_back(addition_to_table(adapter.embedding, addition.weight));
    for (size_t layer = 0; layer < adapter.layers.size(); ++layer) {
      for (size_t i = 0; i < nn::kProjectionNames.size(); ++i) {
        const nn::LinearAdapter& linear = adapter.layers[layer].linears[i];
        const bool is_changed =
            is_bias ? static_cast<bool>(linear.output_scale) : linear.low_rank.a || linear.input_scale || linear.output_scale;
        if (!is_changed) continue;
        const std::string module = "layers." + std::to_string(layer) + "." + nn::kProjectionNames[i];
        if (name == module + (is_bias ? ".bias" : ".weight")) out.push_back({linear, {}, addition.weight});
      }
    }
  }
  return out;
}

std::vector<Parameter> parameters_of(const ModelWeights& model) {
  std::vector<Parameter> out;
  nn::TransformerParameters parameters = model.parameters;  // views
  nn::visit_parameters(model.spec, parameters, [&](const nn::ParameterInfo& info, Tensor& tensor) {
    const Stored stored = models::stored_parameter(*model.arch, model.layout, info.name);
    out.push_back({info.name, tensor, stored.transform == Transform::kRotaryPairs, model.spec.head_dim, adapters_of(model, info.name)});
  });
  return out;
}

// One tensor of the target and the parameters that are its parts.
struct Target {
  std::string name;
  std::vector<Parameter> parts;
  std::vector<Stored> stored;
};

// For every row of the target: which part it belongs to and which row of it.
struct RowOrigin {
  size_t part;
  int64_t row;
};
std::vector<RowOrigin> row_origins(const nn::TransformerSpec& spec, const Target& target) {
  int64_t total = 0;
  for (const Parameter& part : target.parts) total += part.num_rows();
  std::vector<RowOrigin> origins(static_cast<size_t>(total));
  for (size_t p = 0; p < target.parts.size(); ++p) {
    for (int64_t n = 0; n < target.parts[p].num_rows(); ++n) {
      const int64_t at = stored_row(spec, target.stored[p], target.parts[p].num_rows(), n);
      ATELIER_CHECK(at >= 0 && at < total);
      origins[static_cast<size_t>(at)] = {p, n};
    }
  }
  return origins;
}

RowReader matrix_reader(const nn::TransformerSpec& spec, const Target& target) {
  return [parts = target.parts, origins = row_origins(spec, target)](int64_t row, float* out) {
    const RowOrigin& origin = origins[static_cast<size_t>(row)];
    parts[origin.part].read_row(origin.row, out);
  };
}

// The whole matrix is unpacked once, since a row of the target crosses every row of the source.
RowReader transposed_reader(const nn::TransformerSpec& spec, const Target& target) {
  const RowReader read = matrix_reader(spec, target);
  const int64_t K = target.parts[0].tensor.dim(1);
  int64_t N = 0;
  for (const Parameter& part : target.parts) N += part.num_rows();
  auto matrix = std::make_shared<std::vector<float>>(static_cast<size_t>(N * K));
  for (int64_t n = 0; n < N; ++n) read(n, matrix->data() + n * K);
  return [matrix, N, K](int64_t k, float* out) {
    for (int64_t n = 0; n < N; ++n) out[n] = (*matrix)[static_cast<size_t>(n * K + k)];
  };
}

RowReader vector_reader(const nn::TransformerSpec& spec, const Target& target) {
  const float shift = target.stored[0].transform == Transform::kOneLess ? -1.0f : 0.0f;
  return [parts = target.parts, origins = row_origins(spec, target), shift](int64_t, float* out) {
    for (size_t i = 0; i < origins.size(); ++i) {
      parts[origins[i].part].read_row(origins[i].row, out + i);
      out[i] += shift;
    }
  };
}

DType common_type(const Target& target) {
  const DType first = target.parts[0].tensor.dtype();
  const bool is_same = std::ranges::all_of(target.parts, [&](const Parameter& part) { return part.tensor.dtype() == first; });
  return is_same ? first : DType::kF32;
}

OutputTensor output_of(const std::shared_ptr<const ModelWeights>& model, const Target& target) {
  int64_t rows = 0;
  for (const Parameter& part : target.parts) rows += part.num_rows();
  OutputTensor out;
  out.info.name = target.name;
  out.info.shape = {rows};
  const bool is_vector = target.parts[0].is_vector();
  const bool is_transposed = !is_vector && target.stored[0].transform == Transform::kTranspose;
  out.info.dtype = is_vector ? DType::kF32 : common_type(target);
  out.is_changed = std::any_of(target.parts.begin(), target.parts.end(), [](const Parameter& part) { return !part.adapters.empty(); });
  if (!is_vector) out.info.shape.push_back(target.parts[0].tensor.dim(1));
  if (is_transposed) {
    std::swap(out.info.shape[0], out.info.shape[1]);
    if (is_quantized(out.info.dtype)) out.info.dtype = DType::kF32;
  }
  out.open = [model, target, is_vector, is_transposed] {
    if (is_vector) return vector_reader(model->spec, target);
    return is_transposed ? transposed_reader(model->spec, target) : matrix_reader(model->spec, target);
  };
  return out;
}

}  // namespace

ModelWeights weights_of(const std::shared_ptr<const models::Model>& model) {
  return {&model->arch(), model->layout(), model->spec(), model->transformer().parameters(), model};
}

std::vector<OutputTensor> relayout(const std::shared_ptr<const ModelWeights>& model, models::Layout layout) {
  std::vector<Target> targets;
  std::map<std::string, size_t> index;
  for (const Parameter& parameter : parameters_of(*model)) {
    Stored stored = models::stored_parameter(*model->arch, layout, parameter.name);
    const auto [found, is_new] = index.emplace(stored.name, targets.size());
    if (is_new) targets.push_back({stored.name, {}, {}});
    targets[found->second].parts.push_back(parameter);
    targets[found->second].stored.push_back(std::move(stored));
  }
  std::vector<OutputTensor> out;
  out.reserve(targets.size());
  for (const Target& target : targets) out.push_back(output_of(model, target));
  return out;
}

}  // namespace atelier::convert
