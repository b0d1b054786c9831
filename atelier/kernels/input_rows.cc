#include "atelier/kernels/input_rows.h"

namespace atelier::kernels {

const float* input_row(const KernelTable& table, const LinearInput& input, int64_t t, int64_t K, float* scratch) {
  const float* x = input.x + t * input.ldx;
  switch (input.kind) {
    case LinearInput::Kind::kRows:
      return x;
    case LinearInput::Kind::kRmsNorm:
      table.rms_norm(x, input.weight, input.eps, scratch, K);
      break;
    case LinearInput::Kind::kLayerNorm:
      table.layer_norm(x, input.weight, input.bias, input.eps, scratch, K);
      break;
    case LinearInput::Kind::kActivate:
      table.activate(input.activation, x, scratch, K);
      break;
    case LinearInput::Kind::kGatedActivate:
      table.gated_activate(input.activation, x, input.up + t * input.ldx, scratch, K);
      break;
  }
  return scratch;
}

}  // namespace atelier::kernels
