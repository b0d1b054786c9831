// One row of int8 activations with tiles of quantized weights: decoding steps of a single sequence, bound by memory.
//
// A decoder writes its quants to a RowDots instead of a panel, so that they meet the activations while they are in a register. Sums are
// those of GemmInt8 in the same order: bit for bit what the row would get among others.
#pragma once

#include "atelier/kernels/simd/gemm_int8.h"

namespace atelier::kernels {

// Takes what a decoder writes, block after block, and adds it up: lane i holds the sum of output i. Memory that is decoded later is asked
// for group by group: a core waits for some twenty lines at a time, and a block of Q6_K is 53.
template <class S, class Decoder, class In>
class RowDots {
 public:
  using F = typename S::F;
  using I = typename S::I;
  using Form = typename Decoder::Form;

  RowDots(const QuantizedRows& x, const In& in)
      : in_(in),
        quants_(x.q),
        scales_(x.scale),
        sums_(Form::kGroup == 16 ? x.sum16 : x.sum32),
        offsets_(Form::kGroup == 16 ? x.offset16 : x.offset32) {}

  void begin_block() { num_scales_ = num_mins_ = group_ = step_ = 0; }
  void scale(F a) { weight_scales_[num_scales_++] = a; }
  void min(F a) { weight_mins_[num_mins_++] = a; }
  void quants(I w) {
    if (step_ == 0) {
      dot_.sum = S::zero_int();
      if constexpr (!Form::kHasMins) dot_.sum = Dot::start(S::broadcast_int(sums_++));
    }
    dot_.step(step_, w, S::broadcast4(quants_));
    quants_ += 4;
    if (++step_ == kSteps) end_group();
  }

  F total() const { return total_; }

 private:
  using Dot = typename S::template Dot<Form::kMax, Form::kZero>;
  static constexpr int kSteps = Form::kGroup / 4;
  static constexpr int kGroups = Decoder::kBlock / Form::kGroup;
  static constexpr int kGroupsPerScale = kQuantBlock / Form::kGroup;

  void end_group() {
    ScaledSum<S, Form>::add(group_ % kGroupsPerScale, dot_.value(kSteps), weight_scales_[group_], scales_, part_, total_);
    if constexpr (Form::kHasMins) total_ = S::fma(weight_mins_[group_], S::set1(*offsets_++), total_);
    step_ = 0;
    in_.prefetch(group_, kGroups);
    ++group_;
    if (kGroupsPerScale == 1 || group_ % kGroupsPerScale == 0) ++scales_;
  }

  const In& in_;
  const int8_t* quants_;
  const float* scales_;
  const int32_t* sums_;
  const float* offsets_;
  F total_ = S::zero(), part_ = S::zero();
  Dot dot_ = {};
  F weight_scales_[kGroups], weight_mins_[kGroups];  // of the block
  int num_scales_ = 0, num_mins_ = 0, group_ = 0, step_ = 0;
};

// y[0, n] of every output of the block; x has one row.
template <class S, class Decoder>
void multiply_row(const QuantizedRows& x, const OutputBlock& block) {
  for (int64_t n = 0; n < block.N; n += S::kLanes) {
    const int64_t first_row = n % quant::kTileRows;
    using In = TileReader<S, Decoder::kWords, Decoder::kHasHalf>;
    In in(block.w + (n - first_row) * block.row_bytes, x.K / Decoder::kBlock, 0, first_row);
    RowDots<S, Decoder, In> out(x, in);
    for (int64_t k = 0; k < x.K; k += Decoder::kBlock) {
      out.begin_block();
      Decoder::decode(in, out);
      in.advance();
    }
    const int lanes = static_cast<int>(block.N - n < S::kLanes ? block.N - n : S::kLanes);
    const typename S::F total = block.bias ? S::add(out.total(), S::load_partial(block.bias + n, lanes)) : out.total();
    S::store_partial(block.y + n, total, lanes);
  }
}

}  // namespace atelier::kernels
