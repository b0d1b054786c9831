#include "atelier/ops/linear_input.h"

#include "atelier/base/error.h"
#include "atelier/ops/elementwise.h"
#include "atelier/ops/norm.h"

namespace atelier::ops {

LinearInput LinearInput::rms_norm(Tensor x, Tensor weight, float eps) {
  LinearInput input(std::move(x));
  input.kind = Kind::kRmsNorm;
  input.weight = std::move(weight);
  input.eps = eps;
  return input;
}

LinearInput LinearInput::layer_norm(Tensor x, Tensor weight, Tensor bias, float eps) {
  LinearInput input = rms_norm(std::move(x), std::move(weight), eps);
  input.kind = Kind::kLayerNorm;
  input.bias = std::move(bias);
  return input;
}

LinearInput LinearInput::activate(kernels::Activation activation, Tensor x) {
  LinearInput input(std::move(x));
  input.kind = Kind::kActivate;
  input.activation = activation;
  return input;
}

LinearInput LinearInput::gated_activate(kernels::Activation activation, Tensor gate, Tensor up) {
  LinearInput input = activate(activation, std::move(gate));
  input.kind = Kind::kGatedActivate;
  input.up = std::move(up);
  return input;
}

Tensor rows_of(Context& context, const LinearInput& input) {
  switch (input.kind) {
    case LinearInput::Kind::kRows:
      break;
    case LinearInput::Kind::kRmsNorm:
      return rms_norm(context, input.x, input.weight, input.eps);
    case LinearInput::Kind::kLayerNorm:
      return layer_norm(context, input.x, input.weight, input.bias, input.eps);
    case LinearInput::Kind::kActivate:
      return activate(context, input.activation, input.x);
    case LinearInput::Kind::kGatedActivate:
      return gated_activate(context, input.activation, input.x, input.up);
  }
  return input.x;
}

Tensor rows_named(Context& context, const LinearInput& input) {
  if (input.kind == LinearInput::Kind::kRows) return input.x;
  const Tensor name = context.arena.name(input.x.shape());
  switch (input.kind) {
    case LinearInput::Kind::kRows:
      break;
    case LinearInput::Kind::kRmsNorm:
      record_rms_norm(context, input.x, input.weight, input.eps, name);
      break;
    case LinearInput::Kind::kLayerNorm:
      record_layer_norm(context, input.x, input.weight, input.bias, input.eps, name);
      break;
    case LinearInput::Kind::kActivate:
      record_activate(context, input.activation, input.x, name);
      break;
    case LinearInput::Kind::kGatedActivate:
      record_gated_activate(context, input.activation, input.x, input.up, name);
      break;
  }
  return name;
}

kernels::LinearInput unmade_rows(const LinearInput& input) {
  const int64_t K = input.x.dim(1);
  const bool fits = (!input.weight || input.weight.count() == K) && (!input.bias || input.bias.count() == K) &&
                    (!input.up || input.up.shape() == input.x.shape());
  if (!fits) {
    throw ShapeError("[linear] input is " + input.x.shape().to_string() + ", its norm " + input.weight.shape().to_string() +
                     ", what it gates " + input.up.shape().to_string());
  }
  const auto floats = [](const Tensor& tensor) { return tensor ? tensor.f32() : nullptr; };
  return {.x = input.x.f32(),
          .ldx = K,
          .kind = input.kind,
          .weight = floats(input.weight),
          .bias = floats(input.bias),
          .eps = input.eps,
          .activation = input.activation,
          .up = floats(input.up)};
}

}  // namespace atelier::ops
