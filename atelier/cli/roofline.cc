#include "atelier/cli/roofline.h"

#include <algorithm>

#include "atelier/base/error.h"
#include "atelier/kernels/measure.h"

namespace atelier::cli {
namespace {

constexpr kernels::Compute kComputes[] = {kernels::Compute::kF32, kernels::Compute::kBF16, kernels::Compute::kInt8};

struct Matrix {
  DType dtype;
  int64_t weights;
  int64_t bytes;
  bool is_head;
};

// The matrices that a decode step reads as a whole: all but the embedding table, unless that is the head too.
std::vector<Matrix> matrices(const models::Model& model) {
  std::vector<Matrix> found;
  nn::TransformerParameters parameters = model.transformer().parameters();  // views
  const void* head = parameters.head.weight.data();
  const auto add = [&](const nn::ParameterInfo& info, Tensor& tensor) {
    if (info.shape.rank() != 2) return;
    const bool is_head = tensor.data() == head;
    const bool is_table = tensor.data() == parameters.embedding.data() || tensor.data() == parameters.position_embedding.data();
    if (is_table && !is_head) return;
    found.push_back({tensor.dtype(), tensor.count(), tensor.num_bytes(), is_head});
  };
  nn::visit_parameters(model.spec(), parameters, add);
  return found;
}

double sum(const std::map<kernels::Compute, double>& seconds) {
  double total = 0;
  for (const auto& [compute, part] : seconds) total += part;
  return total;
}

// The kind of products that takes most of the time.
Bound slowest(const std::map<kernels::Compute, double>& seconds) {
  const auto most = std::max_element(seconds.begin(), seconds.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  switch (most->first) {
    case kernels::Compute::kF32:
      return Bound::kF32;
    case kernels::Compute::kBF16:
      return Bound::kBF16;
    case kernels::Compute::kInt8:
      return Bound::kInt8;
  }
  throw InternalError("compute: no such value");
}

}  // namespace

const char* bound_name(Bound bound) {
  switch (bound) {
    case Bound::kMemory:
      return "memory";
    case Bound::kInt8:
      return "int8";
    case Bound::kBF16:
      return "bf16";
    case Bound::kF32:
      return "f32";
  }
  throw InternalError("bound: no such value");
}

kernels::Compute compute_for(DType dtype, Precision precision) {
  if (is_quantized(dtype)) return precision == Precision::kF32 ? kernels::Compute::kF32 : kernels::Compute::kInt8;
  const bool is_bf16 = precision == Precision::kBF16 || (precision == Precision::kAuto && dtype == DType::kBF16);
  return is_bf16 ? kernels::Compute::kBF16 : kernels::Compute::kF32;
}

MachineLimits measure_limits() {
  MachineLimits limits;
  limits.bandwidth = kernels::measure_bandwidth();
  for (const kernels::Compute compute : kComputes) limits.peak[compute] = kernels::measure_peak(compute);
  return limits;
}

Roofline roofline(const models::Model& model, const MachineLimits& limits, int64_t depth, int64_t batch) {
  Roofline out;
  std::map<kernels::Compute, double> arithmetic_s, blocks_s;  // of one token: of all products, and of all but the head's
  for (const Matrix& matrix : matrices(model)) {
    const double operations = 2.0 * static_cast<double>(matrix.weights);
    const kernels::Compute compute = compute_for(matrix.dtype, model.precision());
    const double seconds = operations / limits.peak.at(compute);
    out.bytes_per_step += static_cast<double>(matrix.bytes);
    out.operations_per_step += operations * static_cast<double>(batch);
    arithmetic_s[compute] += seconds;
    if (!matrix.is_head) blocks_s[compute] += seconds;
  }
  if (depth > 0) out.bytes_per_step += static_cast<double>(batch * nn::KvCache::bytes_for(model.spec(), model.kv_dtype(), depth));
  const double memory_s = out.bytes_per_step / limits.bandwidth, all_arithmetic_s = sum(arithmetic_s) * static_cast<double>(batch);
  out.decode_bound = memory_s >= all_arithmetic_s ? Bound::kMemory : slowest(arithmetic_s);
  out.decode_tok_s = static_cast<double>(batch) / std::max(memory_s, all_arithmetic_s);
  out.prefill_tok_s = 1 / sum(blocks_s);
  out.prefill_bound = slowest(blocks_s);
  return out;
}

const char* compute_name(kernels::Compute compute) {
  switch (compute) {
    case kernels::Compute::kF32:
      return "f32";
    case kernels::Compute::kBF16:
      return "bf16";
    case kernels::Compute::kInt8:
      return "int8";
  }
  throw InternalError("compute: no such value");
}

Json& add_limits(Json& object, const MachineLimits& limits) {
  Json peaks = Json::object();
  for (const auto& [compute, rate] : limits.peak) peaks.set(compute_name(compute), rate / 1e9);
  return object.set("memory_gb_s", limits.bandwidth / 1e9).set("peak_gops", std::move(peaks));
}

}  // namespace atelier::cli
