// Rotary position tables: cos and sin per position, for every published way of scaling them.
//
// Methods whose frequencies depend on the length (dynamic NTK, longrope) choose them once, from the planned context, so that a
// cached key never changes its meaning; `describe` says what was chosen.
//
// Sources  linear: Chen et al. 2023, arXiv:2306.15595; dynamic NTK: bloc97 2023; YaRN: Peng et al. 2023, arXiv:2309.00071;
//          llama3: Llama Team 2024, arXiv:2407.21783; longrope: Ding et al. 2024, arXiv:2402.13753
#pragma once

#include <string>
#include <vector>

#include "atelier/nn/spec.h"
#include "atelier/tensor/tensor.h"

namespace atelier::nn {

struct RopeFrequencies {
  std::vector<float> inverse;  // [R/2]: radians per position
  float attention_factor = 1;  // multiplies cos and sin
};

RopeFrequencies rope_frequencies(const RopeSpec& spec, int64_t planned_context);

// One line when the planned context decided the frequencies, else empty.
std::string describe_length_dependence(const RopeSpec& spec, int64_t planned_context);

// cos and sin of positions 0 … P-1, grown when a larger position is asked for.
class RopeTable {
 public:
  RopeTable(const RopeSpec& spec, int64_t planned_context) : frequencies_(rope_frequencies(spec, planned_context)) {}

  void ensure(int64_t num_positions);
  const Tensor& cos() const { return cos_; }  // [P, R/2]
  const Tensor& sin() const { return sin_; }

 private:
  RopeFrequencies frequencies_;
  Tensor cos_, sin_;
};

}  // namespace atelier::nn
