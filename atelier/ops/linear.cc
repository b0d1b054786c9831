#include "atelier/ops/linear.h"

#include <algorithm>
#include <array>
#include <ranges>

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

// What a group's walk back reads.
struct Group {
  LinearInput input;
  Tensor x;        // the rows, perhaps by name only
  Tensor dropped;  // what low-rank additions read, where it is not x
  std::array<Member, kMaxGroup> members;
  size_t count;
  Precision precision;
  Arena* arena;

  void backward(Tape& tape) const {
    const Arena::Mark mark = arena->mark();
    std::array<Tensor, kMaxGroup> dh;  // [T, R] of low-rank additions
    for (size_t i = 0; i < count; ++i) {
      if (members[i].low_rank.a) dh[i] = arena->empty_f32(members[i].h.shape());
    }
    additions(tape, dh);
    for (const Member& member : std::span(members).first(count)) {
      const int64_t T = x.dim(0), N = member.weight.dim(0);
      if (tape.needs_gradient(member.bias)) kernels::linear_backward_bias(tape.gradient(member.y), N, T, N, tape.sums(member.bias));
    }
    for (const kernels::Compute compute : {kernels::Compute::kF32, kernels::Compute::kBF16}) products(tape, dh, compute);
    arena->rewind(mark);
  }

  // From dy [T, N] to da, db and dh.
  void additions(Tape& tape, std::span<Tensor> dh) const {
    if (std::ranges::none_of(dh, [](const Tensor& tensor) { return static_cast<bool>(tensor); })) return;
    Context untaped{*arena, precision};
    const Tensor values = dropped ? dropped : rows_of(untaped, input);
    for (size_t i = 0; i < count; ++i) {
      const auto& [weight, bias, y, low_rank, h] = members[i];
      if (!low_rank.a) continue;
      kernels::low_rank_backward(shape_of(x, low_rank), values.f32(), low_rank.b.f32(), low_rank.scale, h.f32(), tape.gradient(y),
                                 {tape.sums(low_rank.a), tape.sums(low_rank.b), dh[i].f32()});
    }
  }

  // The gradients of weights and rows, of those members whose products are formed so.
  void products(Tape& tape, std::span<const Tensor> dh, kernels::Compute compute) const {
    const int64_t T = x.dim(0), K = x.dim(1);
    std::array<kernels::LinearGradient, 2 * kMaxGroup> inputs;
    std::array<kernels::LinearGradient, kMaxGroup> weights, additions;
    size_t num_inputs = 0, num_weights = 0, num_additions = 0;
    for (size_t i = 0; i < count; ++i) {
      const Tensor& weight = members[i].weight;
      if (backward_compute(precision, weight.dtype()) != compute) continue;
      kernels::LinearGradient gradient{weight.dtype(), weight.data(), weight.dim(0), tape.gradient(members[i].y), weight.dim(0)};
      inputs[num_inputs++] = gradient;
      if (dh[i]) {
        const int64_t R = dh[i].dim(1);
        additions[num_additions++] = {DType::kF32, members[i].low_rank.a.data(), R, dh[i].f32(), R};
      }
      if (!tape.needs_gradient(weight)) continue;
      const Tape::Target dw = tape.target(weight);
      gradient.dw = dw.data;
      gradient.adds = dw.adds;
      weights[num_weights++] = gradient;
    }
    if (num_weights > 0) kernels::linear_backward_weight(std::span(weights).first(num_weights), unmade_rows(input), T, K, compute);
    if (dropped && num_additions > 0 && tape.needs_gradient(dropped)) {
      const Tape::Target dx = tape.target(dropped);
      kernels::linear_backward_input(std::span(additions).first(num_additions), T, K, dx.data, K, dx.adds, compute);
    } else {
      num_inputs = static_cast<size_t>(std::copy_n(additions.begin(), num_additions, inputs.begin() + num_inputs) - inputs.begin());
    }
    if (num_inputs == 0 || !tape.needs_gradient(x)) return;
    const Tape::Target dx = tape.target(x);
    kernels::linear_backward_input(std::span(inputs).first(num_inputs), T, K, dx.data, K, dx.adds, compute);
  }
};

bool is_member_recorded(const Context& context, const Tensor& x, const LinearArgs& args) {
  return is_recorded(context, x, *args.weight) || (args.bias != nullptr && is_recorded(context, *args.bias)) ||
         (has_low_rank(args) && is_recorded(context, args.low_rank->a, args.low_rank->b));
}

}  // namespace

kernels::Compute backward_compute(Precision precision, DType weight) {
  const bool is_rounded =
      precision == Precision::kBF16 || (precision == Precision::kAuto && (is_quantized(weight) || weight == DType::kBF16));
  return is_rounded ? kernels::Compute::kBF16 : kernels::Compute::kF32;
}

Tensor add_low_rank(Context& context, const Tensor& x, const LowRank& low_rank, float scale, Tensor& y) {
  Tensor h = context.arena.empty_f32({x.dim(0), low_rank.a.dim(0)});
  kernels::low_rank_forward(shape_of(x, low_rank), x.f32(), low_rank.a.f32(), low_rank.b.f32(), scale, h.f32(), y.f32());
  return h;
}

void linear_group(Context& context, const LinearInput& input, std::span<const LinearArgs> group, const DropoutRows& dropped_rows) {
  ATELIER_CHECK(group.size() <= kMaxGroup);
  const bool is_low_rank = std::ranges::any_of(group, has_low_rank), drops = is_low_rank && dropped_rows.p > 0;
  const LinearInput stored = drops || context.observer != nullptr ? rows_of(context, input) : input;
  const Tensor x = context.tape != nullptr ? rows_named(context, stored) : stored.x;
  Group recorded{.input = stored, .x = x, .count = group.size(), .precision = context.precision, .arena = &context.arena};
  bool is_to_record = false;
  for (size_t i = 0; i < group.size(); ++i) {
    const LinearArgs& args = group[i];
    check(x, args);
    if (context.observer != nullptr) (*context.observer)(*args.weight, x);
    const Shape y = {x.dim(0), args.weight->dim(0)};
    ATELIER_CHECK(!args.adds || (args.y->shape() == y && context.tape == nullptr && !has_low_rank(args)));
    if (!args.adds) *args.y = context.arena.empty_f32(y);
    is_to_record = is_to_record || is_member_recorded(context, x, args);
    recorded.members[i] = {*args.weight, args.bias ? *args.bias : Tensor{}, *args.y, args.low_rank ? *args.low_rank : LowRank{}, {}};
    if (has_low_rank(args)) recorded.members[i].h = context.arena.empty_f32({x.dim(0), args.low_rank->a.dim(0)});
  }
  if (drops) recorded.dropped = dropout(context, x, dropped_rows);
  const Arena::Mark mark = context.arena.mark();
  Context untaped{context.arena, context.precision};
  const LinearInput read = is_low_rank ? rows_of(untaped, stored) : stored;
  multiply(context, read, group);
  const Tensor& low_rank_input = drops ? recorded.dropped : read.x;
  for (size_t i = 0; i < group.size(); ++i) {
    const auto& [weight, bias, y, low_rank, h] = recorded.members[i];
    if (!low_rank.a) continue;
    kernels::low_rank_forward(shape_of(x, low_rank), low_rank_input.f32(), low_rank.a.f32(), low_rank.b.f32(), low_rank.scale,
                              recorded.members[i].h.f32(), group[i].y->f32());
  }
  context.arena.rewind(mark);
  if (!is_to_record) return;
  std::array<Tensor, kMaxGroup> outputs;
  for (size_t i = 0; i < group.size(); ++i) outputs[i] = *group[i].y;
  context.tape->record(std::span(outputs).first(group.size()), [recorded](Tape& tape) { recorded.backward(tape); });
}

Tensor linear(Context& context, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  Tensor y;
  const LinearArgs args{&weight, &bias, &y};
  linear_group(context, x, std::span(&args, 1));
  return y;
}

}  // namespace atelier::ops
