// Optimizers: how weights move against their gradients.
//
// An optimizer is one file of optim/optimizers/ that exports one `const OptimizerDef optimizer_<name>`; CMake writes the table. A step is
// a function of the weight, its gradient, its moments and the step's number, so that what a checkpoint has to keep is the moments and that
// number. Same bits for any number of threads.
//
//   Optimizer optimizer(*find_optimizer("adamw"), {}, std::move(parameters));
//   optimizer.step(learning_rate, clip_factor(global_norm(optimizer.parameters()), 1.0));
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "atelier/tensor/tensor.h"

namespace atelier::optim {

enum class EpsilonKind : uint8_t {
  kPyTorch,     // sqrt(v / correction) + epsilon
  kTensorFlow,  // (sqrt(v) + epsilon) / sqrt(correction): "epsilon hat" of Kingma & Ba 2015, end of section 2
};

struct OptimizerOptions {
  double beta1 = 0.9;          // of the first moment (adamw, adamw8bit, lion)
  double beta2 = 0.999;        // of the second moment (adamw, adamw8bit), of the kept one (lion)
  double epsilon = 1e-8;       // in the denominator (adamw, adamw8bit, rmsprop)
  double weight_decay = 0.01;  // of matrices and tables: decoupled in adamw, adamw8bit, lion and adafactor, added to gradients in others
  bool has_bias_correction = true;  // adamw: false is BERT's AdamWeightDecayOptimizer
  EpsilonKind epsilon_kind = EpsilonKind::kPyTorch;
  double momentum = 0;               // sgd
  double dampening = 0;              // sgd
  bool is_nesterov = false;          // sgd
  double smoothing = 0.99;           // rmsprop: alpha
  double decay_rate = -0.8;          // adafactor: exponent of the second moment's decay
  double clip_threshold = 1;         // adafactor: largest root mean square of an update
  double epsilon_square = 1e-30;     // adafactor: added to squared gradients
  bool scales_by_parameter = false;  // adafactor: the rate is relative to the root mean square of the weights, at least 1e-3
};

// What is trained; value and gradient are F32 of the same shape.
struct Parameter {
  std::string name;
  Tensor value, gradient;
  bool has_decay = true;
};

// One moment of one parameter, zero before the first step.
struct StateInfo {
  const char* name;  // "exp_avg", as PyTorch's state_dict calls it
  DType dtype;       // F32, or I8 for codes
  Shape shape;
};

struct StepInfo {
  double learning_rate = 0;
  double gradient_factor = 1;  // multiplies gradients before anything else
  int64_t step = 1;            // 1 for the first
};

struct OptimizerDef {
  const char* name;
  const char* summary;  // one line for `atelier list optimizers`
  const char* source;   // paper, and the implementation that steps equal
  std::vector<StateInfo> (*states)(const OptimizerOptions& options, const Shape& shape);
  // `options.weight_decay` is 0 for a parameter that does not decay.
  void (*update)(const OptimizerOptions& options, const StepInfo& info, Tensor& value, const Tensor& gradient, std::span<Tensor> states);
};

// Every optimizer, sorted by file name; the one called `name`, or null.
std::span<const OptimizerDef* const> optimizers();
const OptimizerDef* find_optimizer(const std::string& name);

// Bytes of moments that `def` keeps for a parameter of this shape.
int64_t state_bytes(const OptimizerDef& def, const OptimizerOptions& options, const Shape& shape);

class Optimizer {
 public:
  Optimizer(const OptimizerDef& def, const OptimizerOptions& options, std::vector<Parameter> parameters);

  void step(double learning_rate, double gradient_factor);

  std::span<const Parameter> parameters() const { return parameters_; }
  int64_t num_steps() const { return num_steps_; }
  void set_num_steps(int64_t num_steps) { num_steps_ = num_steps; }  // of a run that goes on

  // The moments, "layers.0.mlp.up.weight.exp_avg"; the memory is the optimizer's own, for a checkpoint to read and fill.
  struct NamedState {
    std::string name;
    Tensor tensor;
  };
  std::vector<NamedState> states() const;

 private:
  const OptimizerDef& def_;
  OptimizerOptions options_;
  std::vector<Parameter> parameters_;
  std::vector<std::vector<Tensor>> states_;  // of each parameter
  int64_t num_steps_ = 0;
};

}  // namespace atelier::optim
