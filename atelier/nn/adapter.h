// Adapters of a decoder: small sets of numbers beside its weights, which learn or run while the weights stay as they are.
//
//   a linear layer   y = output_scale * (gain * (W (input_scale * x) + scale B A x) + bias)      each factor only where it is there
//                    LoRA: scale B A (Hu et al. 2021, arXiv:2106.09685); DoRA: gain (Liu et al. 2024, arXiv:2402.09353, ops/row_gain.h);
//                    (IA)^3: the scales (Liu et al. 2022, arXiv:2205.05638)
//   a sublayer       y += up f(down y), or of y with what the block has so far (Houlsby et al. 2019, arXiv:1902.00751; Pfeiffer et al.
//                    2020, arXiv:2005.00247)
//   virtual tokens   P rows before the text, which have no token: learned embeddings (prompt tuning: Lester et al. 2021, arXiv:2104.08691)
//                    or learned keys and values in every layer (prefix tuning: Li & Liang 2021, arXiv:2101.00190). In a list of ids they
//                    are V, V + 1, ..., V + P - 1
//   tables           an addition to the embedding, or tables instead of the model's own
//   biases           additions to those of linear layers and norms (BitFit: Zaken et al. 2021, arXiv:2106.10199)
//
// What runs, in float32: the base's product is formed for all rows together, then each run of rows gets what its own adapters change. So
// rows with different adapters run in one batch, and a row has the bits that it has alone (docs/adr/0005).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "atelier/base/function_ref.h"
#include "atelier/nn/parameters.h"
#include "atelier/ops/linear.h"

namespace atelier::nn {

// Of one linear layer, W [N, K].
struct LinearAdapter {
  ops::LowRank low_rank;
  Tensor magnitude;     // [N] DoRA: the length of each row of W + scale B A
  Tensor gain;          // [N] magnitude / that length as it is now: of an adapter that runs
  Tensor squares;       // [N] of the rows of W: of an adapter that learns
  Tensor input_scale;   // [K]; of o and down only, whose input no other layer reads
  Tensor output_scale;  // [N]
};

// Of one sublayer: y += scale * up f(down x), where x is y, or y with the residual that y will be added to.
struct Bottleneck {
  Tensor down, down_bias;  // [R, C], [R]; no tensor: no bottleneck
  Tensor up, up_bias;      // [C, R], [C]
  kernels::Activation activation = kernels::Activation::kRelu;
  float scale = 1;
  bool reads_residual = false;
};

struct LayerAdapter {
  std::array<LinearAdapter, kProjectionNames.size()> linears;
  Bottleneck attention, mlp;
  Tensor prefix_keys, prefix_values;  // [P, G * D], keys as the cache holds them: normed and rotated
};

struct Adapter {
  std::vector<LayerAdapter> layers;
  int64_t num_virtual = 0;  // P
  Tensor prompt;            // [P, C] embeddings
  ops::LowRank embedding;   // a [V, R]: its rows are looked up; b [C, R]
  Tensor table, head;       // [V, C] instead of the model's, or none
  // What is added to the biases of the blocks and of norms: under the model's names, without anything else. No layers: none.
  TransformerParameters biases;
  std::string digest;  // SHA-256 of all its numbers: adapters of the same digest do the same
};

// Calls visit(name, tensor) for every number that can be learned: "layers.0.attention.q.lora_a", "layers.1.mlp.bottleneck.up", "prompt".
// Tensors that are not there are left out.
void visit_adapter(Adapter& adapter, FunctionRef<void(const std::string& name, Tensor& tensor)> visit);

struct AppliedAdapter {
  const Adapter* adapter;
  float weight = 1;  // of what it adds, or of how far its factors go from 1
  bool operator==(const AppliedAdapter&) const = default;
};

// Why adapters cannot run together, or nothing: virtual tokens, tables and bottlenecks come from one adapter alone, whose weight is 1.
std::string reason_against(std::span<const AppliedAdapter> adapters);
int64_t num_virtual(std::span<const AppliedAdapter> adapters);

// Of the adapters of one linear layer, in order, with their weights.
struct AppliedLinear {
  LinearAdapter adapter;
  Tensor bias;  // [N] that is added to the layer's
  float weight = 1;
};
// W[n, :] becomes the row that computes what W computes with the adapters. `row` [K] holds it before and after.
void merge_row(std::span<const AppliedLinear> adapters, int64_t n, int64_t K, float* row);
// The same for the bias of an output, or of a norm.
float merged_bias(std::span<const AppliedLinear> adapters, int64_t n, float bias);
// |W[n, :] + scale B A|, which DoRA's magnitude stands for.
float adapted_length(const ops::LowRank& low_rank, int64_t n, int64_t K, const float* row);

}  // namespace atelier::nn
