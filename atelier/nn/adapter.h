// Low-rank adapters (LoRA) of a decoder that runs: what they add to the linear layers of its blocks.
//
//   y[t, :] += sum over the adapters of row t of  weight * scale * B A x[t, :]
//
// The base's product is formed for all rows together, then each run of rows gets what its own adapters add, in float32. So rows with
// different adapters run in one batch, and a row has the bits that it has alone (docs/adr/0005).
//
// Source   Hu et al. 2021, arXiv:2106.09685
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "atelier/ops/linear.h"

namespace atelier::nn {

enum class Projection : uint8_t { kQ, kK, kV, kO, kGate, kUp, kDown };
// Their logical names below "layers.N.", in the order of Projection.
inline constexpr std::array<const char*, 7> kProjectionNames = {"attention.q", "attention.k", "attention.v", "attention.o",
                                                                "mlp.gate",    "mlp.up",      "mlp.down"};

struct Adapter {
  using Layer = std::array<ops::LowRank, kProjectionNames.size()>;
  std::vector<Layer> layers;  // nothing where a projection has no addition
  std::string digest;         // SHA-256 of all its numbers: adapters of the same digest add the same
};

struct AppliedAdapter {
  const Adapter* adapter;
  float weight = 1;
  bool operator==(const AppliedAdapter&) const = default;
};

}  // namespace atelier::nn
