#include "atelier/ops/linear.h"

#include <algorithm>
#include <array>

#include "atelier/base/error.h"
#include "atelier/kernels/gradients.h"
#include "atelier/kernels/low_rank.h"

namespace atelier::ops {
namespace {

constexpr size_t kMaxGroup = 4;

kernels::Compute compute_for(Precision precision, DType weight) {
  if (precision == Precision::kF32) return kernels::Compute::kF32;
  if (is_quantized(weight)) return kernels::Compute::kInt8;
  return precision == Precision::kBF16 || weight == DType::kBF16 ? kernels::Compute::kBF16 : kernels::Compute::kF32;
}

bool has_low_rank(const LinearArgs& args) { return args.low_rank != nullptr && args.low_rank->a; }

void check(const Tensor& x, const LinearArgs& args) {
  const Shape& weight = args.weight->shape();
  if (x.shape().rank() != 2 || weight.rank() != 2 || weight[1] != x.dim(1)) {
    throw ShapeError("[linear] x is " + x.shape().to_string() + ", weight is " + weight.to_string());
  }
  if (is_quantized(args.weight->dtype()) != (args.weight->layout() == TensorLayout::kTiles)) {
    throw DTypeError(std::string("[linear] weight is ") + dtype_name(args.weight->dtype()) + " in " +
                     (args.weight->layout() == TensorLayout::kTiles ? "tiles, want rows" : "rows, want tiles (quant/tiles.h)"));
  }
  if (args.bias != nullptr && *args.bias && args.bias->count() != weight[0]) {
    throw ShapeError("[linear] weight is " + weight.to_string() + ", bias is " + args.bias->shape().to_string());
  }
  if (has_low_rank(args)) {
    const Shape &a = args.low_rank->a.shape(), &b = args.low_rank->b.shape();
    if (a.rank() != 2 || b.rank() != 2 || a[1] != weight[1] || b[0] != weight[0] || a[0] != b[1]) {
      throw ShapeError("[linear] weight is " + weight.to_string() + ", a is " + a.to_string() + ", b is " + b.to_string());
    }
  }
}

// Members that form their products alike run as one kernel call; a file that mixes float and block types splits the group.
void multiply(const Context& context, const LinearInput& input, std::span<const LinearArgs> group) {
  const int64_t T = input.x.dim(0), K = input.x.dim(1);
  std::array<bool, kMaxGroup> done{};
  for (size_t first = 0; first < group.size(); ++first) {
    if (done[first]) continue;
    const kernels::Compute compute = compute_for(context.precision, group[first].weight->dtype());
    std::array<kernels::Linear, kMaxGroup> calls;
    size_t num_calls = 0;
    for (size_t i = first; i < group.size(); ++i) {
      const Tensor& weight = *group[i].weight;
      if (done[i] || compute_for(context.precision, weight.dtype()) != compute) continue;
      done[i] = true;
      const Tensor* bias = group[i].bias;
      calls[num_calls++] = {weight.dtype(),    weight.data(), weight.dim(0), bias != nullptr && *bias ? bias->f32() : nullptr,
                            group[i].y->f32(), weight.dim(0), group[i].adds};
    }
    kernels::linear(std::span(calls.data(), num_calls), unmade_rows(input), T, K, compute);
  }
}

// What the walk back needs of one member.
struct Member {
  Tensor weight, bias, y;
  LowRank low_rank;
  Tensor h;  // [T, R] of the low-rank addition
};

kernels::LowRankShape shape_of(const Tensor& x, const LowRank& low_rank) {
  return {x.dim(0), x.dim(1), low_rank.b.dim(0), low_rank.a.dim(0)};
}

// From dy [T, N] to da, db and, through a, the gradient of what the addition read.
void low_rank_backward(Tape& tape, const Tensor& x, const Member& member, const float* dy) {
  const auto& [a, b, scale] = member.low_rank;
  kernels::LowRankGradients out{tape.sums(a), tape.sums(b), nullptr, false};
  if (tape.needs_gradient(x)) {
    const Tape::Target dx = tape.target(x);
    out.dx = dx.data;
    out.dx_adds = dx.adds;
  }
  kernels::low_rank_backward(shape_of(x, member.low_rank), x.f32(), a.f32(), b.f32(), scale, member.h.f32(), dy, out);
}

void member_backward(Tape& tape, const Tensor& x, const Tensor& dropped, const Member& member, Precision precision) {
  const Tensor& weight = member.weight;
  const int64_t T = x.dim(0), K = x.dim(1), N = weight.dim(0);
  const float* dy = tape.gradient(member.y);
  const kernels::Compute compute = backward_compute(precision, weight.dtype());
  if (member.low_rank.a) low_rank_backward(tape, dropped, member, dy);
  if (tape.needs_gradient(weight)) {
    const Tape::Target dw = tape.target(weight);
    kernels::linear_backward_weight(dy, N, x.f32(), K, T, N, K, dw.data, dw.adds, compute);
  }
  if (tape.needs_gradient(member.bias)) kernels::linear_backward_bias(dy, N, T, N, tape.sums(member.bias));
  if (tape.needs_gradient(x)) {
    const Tape::Target dx = tape.target(x);
    kernels::linear_backward_input(weight.dtype(), weight.data(), N, K, dy, N, T, dx.data, K, dx.adds, compute);
  }
}

bool is_member_recorded(const Context& context, const Tensor& x, const LinearArgs& args) {
  return is_recorded(context, x, *args.weight) || (args.bias != nullptr && is_recorded(context, *args.bias)) ||
         (has_low_rank(args) && is_recorded(context, args.low_rank->a, args.low_rank->b));
}

}  // namespace

kernels::Compute backward_compute(Precision precision, DType weight) {
  const bool is_rounded = precision == Precision::kBF16 || (precision == Precision::kAuto && (is_quantized(weight) || weight == DType::kBF16));
  return is_rounded ? kernels::Compute::kBF16 : kernels::Compute::kF32;
}

Tensor add_low_rank(Context& context, const Tensor& x, const LowRank& low_rank, float scale, Tensor& y) {
  Tensor h = context.arena.empty_f32({x.dim(0), low_rank.a.dim(0)});
  kernels::low_rank_forward(shape_of(x, low_rank), x.f32(), low_rank.a.f32(), low_rank.b.f32(), scale, h.f32(), y.f32());
  return h;
}

void linear_group(Context& context, const LinearInput& input, std::span<const LinearArgs> group, const DropoutRows& dropped_rows) {
  ATELIER_CHECK(group.size() <= kMaxGroup);
  const bool is_low_rank = std::ranges::any_of(group, has_low_rank);
  const bool is_made = is_low_rank || context.tape != nullptr || context.observer != nullptr;
  const LinearInput made = is_made ? rows_of(context, input) : input;
  const Tensor& x = made.x;  // the rows, if anything but the products needs them
  bool is_to_record = false;
  for (const LinearArgs& args : group) {
    check(x, args);
    if (context.observer != nullptr) (*context.observer)(*args.weight, x);
    const Shape y = {x.dim(0), args.weight->dim(0)};
    ATELIER_CHECK(!args.adds || (args.y->shape() == y && context.tape == nullptr && !has_low_rank(args)));
    if (!args.adds) *args.y = context.arena.empty_f32(y);
    is_to_record = is_to_record || is_member_recorded(context, x, args);
  }
  multiply(context, made, group);
  const Tensor dropped = is_low_rank ? dropout(context, x, dropped_rows) : x;
  std::array<Tensor, kMaxGroup> outputs, hidden;
  for (size_t i = 0; i < group.size(); ++i) {
    const LowRank* low_rank = group[i].low_rank;
    if (has_low_rank(group[i])) hidden[i] = add_low_rank(context, dropped, *low_rank, low_rank->scale, *group[i].y);
    outputs[i] = *group[i].y;
  }
  if (!is_to_record) return;
  std::array<Member, kMaxGroup> members;
  for (size_t i = 0; i < group.size(); ++i) {
    const LinearArgs& args = group[i];
    members[i] = {*args.weight, args.bias ? *args.bias : Tensor{}, *args.y, args.low_rank ? *args.low_rank : LowRank{}, hidden[i]};
  }
  context.tape->record(std::span(outputs.data(), group.size()),
                       [x, dropped, members, count = group.size(), precision = context.precision](Tape& tape) {
                         for (size_t i = 0; i < count; ++i) member_backward(tape, x, dropped, members[i], precision);
                       });
}

Tensor linear(Context& context, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  Tensor y;
  const LinearArgs args{&weight, &bias, &y};
  linear_group(context, x, std::span(&args, 1));
  return y;
}

}  // namespace atelier::ops
