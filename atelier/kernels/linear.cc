// Linear layers on the team: which thread computes which outputs.
//
// The unit of work is a block of outputs of one linear for a block of rows, so that its weights, once read, stay in the L2 cache while
// the rows pass. The cut into units never shows in the result: every output row is summed in its own fixed order (docs/adr/0005).
// Norms and gates of the input are computed row by row on the way into the operand, residuals are added to block by block, so that
// neither takes a pass over memory.
#include <algorithm>

#include "atelier/kernels/dispatch.h"
#include "atelier/kernels/input_rows.h"
#include "atelier/kernels/scratch.h"
#include "atelier/parallel/parallel.h"

namespace atelier::kernels {
namespace {

constexpr int64_t kOutputsPerUnit = 32;  // whole tiles of quant/tiles.h
constexpr int64_t kRowsPerUnit = 256;

int64_t blocks_of(const Linear& linear) { return (linear.num_outputs + kOutputsPerUnit - 1) / kOutputsPerUnit; }

// Calls body(linear, block, row_begin, row_end, scratch) for every unit; `block.y` points at row row_begin.
template <typename Body>
void for_each_unit(std::span<const Linear> group, int64_t T, int64_t K, const Body& body) {
  int64_t num_blocks = 0;  // of all outputs of the group
  for (const Linear& linear : group) num_blocks += blocks_of(linear);
  parallel_for_each(num_blocks * ((T + kRowsPerUnit - 1) / kRowsPerUnit), [&](int64_t i, int) {
    const int64_t row_begin = i / num_blocks * kRowsPerUnit;
    int64_t unit = i % num_blocks;
    size_t index = 0;
    while (unit >= blocks_of(group[index])) unit -= blocks_of(group[index++]);
    const Linear& linear = group[index];
    const int64_t n = unit * kOutputsPerUnit;
    OutputBlock block;
    block.dtype = linear.dtype;
    block.row_bytes = row_bytes(linear.dtype, K);
    block.w = static_cast<const uint8_t*>(linear.w) + n * block.row_bytes;
    block.N = std::min(kOutputsPerUnit, linear.num_outputs - n);
    block.bias = linear.bias ? linear.bias + n : nullptr;
    block.ldy = linear.ldy;
    block.y = linear.y + row_begin * linear.ldy + n;
    const int64_t row_end = std::min(T, row_begin + kRowsPerUnit);
    constexpr int64_t kSummandBytes = kRowsPerUnit * kOutputsPerUnit * static_cast<int64_t>(sizeof(float));
    auto* scratch = static_cast<uint8_t*>(thread_scratch(linear_scratch_bytes(K) + (linear.adds ? kSummandBytes : 0)));
    if (!linear.adds) return body(block, row_begin, row_end, scratch);
    float *const sum = block.y, *const summand = reinterpret_cast<float*>(scratch + linear_scratch_bytes(K));
    block.y = summand;
    block.ldy = kOutputsPerUnit;
    body(block, row_begin, row_end, scratch);
    for (int64_t t = 0; t < row_end - row_begin; ++t) {
      float* y = sum + t * linear.ldy;
      active().add(y, summand + t * kOutputsPerUnit, y, block.N);
    }
  });
}

// Rows that are worth a thread when each of K inputs is read and written once.
int64_t rows_per_piece(int64_t K) { return std::max<int64_t>(1, 32768 / K); }

// Storage of quantized rows that lives from call to call: the owner thread's. Every part begins a cache line.
QuantizedRows quantized_storage(int64_t T, int64_t K) {
  thread_local Workspace memory;
  const int64_t quants = T + kMoreRows, blocks = quants * (K / kQuantBlock);
  constexpr int64_t kLine = 64;
  const auto lines = [](int64_t bytes) { return (bytes + kLine - 1) / kLine * kLine; };
  auto* next = reinterpret_cast<uint8_t*>(memory.take((lines(quants * K) + 4 * lines(blocks * 4) + 3 * lines(blocks * 8)) / 4));
  const auto take = [&]<typename T>(T*& part, int64_t count) {
    part = reinterpret_cast<T*>(next);
    next += lines(count * static_cast<int64_t>(sizeof(T)));
  };
  QuantizedRows rows;
  take(rows.q, quants * K);
  take(rows.scale, blocks);
  take(rows.sum32, blocks);
  take(rows.sum16, 2 * blocks);
  take(rows.offset32, blocks);
  take(rows.offset16, 2 * blocks);
  rows.T = T;
  rows.K = K;
  return rows;
}

// Calls take(row, t) on the team for every row [K].
template <typename Take>
void for_each_row(const KernelTable& table, const LinearInput& input, int64_t T, int64_t K, const Take& take) {
  parallel_for(T, rows_per_piece(K), [&](int64_t begin, int64_t end, int) {
    auto* scratch = static_cast<float*>(thread_scratch(K * static_cast<int64_t>(sizeof(float))));
    for (int64_t t = begin; t < end; ++t) take(input_row(table, input, t, K, scratch), t);
  });
}

// The rows as float32 values in memory.
FloatRows float_rows(const KernelTable& table, const LinearInput& input, int64_t T, int64_t K) {
  if (input.kind == LinearInput::Kind::kRows) return {input.x, input.ldx, T, K};
  thread_local Workspace memory;
  float* out = memory.take(T * K);
  parallel_for(T, rows_per_piece(K), [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) input_row(table, input, t, K, out + t * K);
  });
  return {out, K, T, K};
}

// The rows rounded to bfloat16.
Bf16Rows rounded_rows(const KernelTable& table, const LinearInput& input, int64_t T, int64_t K) {
  thread_local Workspace memory;
  const int64_t width = bf16_width(K);
  auto* out = reinterpret_cast<uint16_t*>(memory.take((T + kMoreRows) * width / 2));
  for_each_row(table, input, T, K, [&](const float* row, int64_t t) { table.round_rows({row, K, 1, K}, out + t * width, width, 0, 1); });
  return {out, width, T, K};
}

QuantizedRows rows_from(const QuantizedRows& all, int64_t begin, int64_t end) {
  const int64_t first = begin * (all.K / kQuantBlock);
  QuantizedRows rows = all;
  rows.q += begin * all.K;
  rows.scale += first;
  rows.sum32 += first;
  rows.sum16 += 2 * first;
  rows.offset32 += first;
  rows.offset16 += 2 * first;
  rows.T = end - begin;
  return rows;
}

// The rows as int8.
QuantizedRows quantized_rows(const KernelTable& table, const LinearInput& input, int64_t T, int64_t K) {
  const QuantizedRows out = quantized_storage(T, K);
  for_each_row(table, input, T, K, [&](const float* row, int64_t t) {
    table.quantize_rows({row, K, 1, K}, rows_from(out, t, t + 1), 0, 1);
  });
  return out;
}

}  // namespace

void linear(std::span<const Linear> group, const LinearInput& input, int64_t T, int64_t K, Compute compute) {
  if (T <= 0 || group.empty()) return;
  const KernelTable& table = active();
  const auto takes_int8 = [&](DType dtype) { return compute == Compute::kInt8 && is_quantized(dtype) && K % kQuantBlock == 0; };
  const auto takes_bf16 = [&](DType dtype) {
    return compute == Compute::kBF16 && (dtype == DType::kBF16 || dtype == DType::kF32) && table.linear_bf16 != nullptr;
  };
  const auto some = [&](const auto& takes) { return std::ranges::any_of(group, takes, &Linear::dtype); };

  const QuantizedRows quantized = some(takes_int8) ? quantized_rows(table, input, T, K) : QuantizedRows{};
  const Bf16Rows rounded = some(takes_bf16) ? rounded_rows(table, input, T, K) : Bf16Rows{};
  const auto takes_f32 = [&](DType dtype) { return !takes_int8(dtype) && !takes_bf16(dtype); };
  const FloatRows floats = some(takes_f32) ? float_rows(table, input, T, K) : FloatRows{};

  for_each_unit(group, T, K, [&](const OutputBlock& block, int64_t row_begin, int64_t row_end, void* scratch) {
    if (takes_int8(block.dtype)) {
      table.linear_int8(rows_from(quantized, row_begin, row_end), block, scratch);
    } else if (takes_bf16(block.dtype)) {
      table.linear_bf16({rounded.x + row_begin * rounded.width, rounded.width, row_end - row_begin, K}, block, scratch);
    } else {
      table.linear_f32({floats.x + row_begin * floats.ldx, floats.ldx, row_end - row_begin, K}, block, scratch);
    }
  });
}

}  // namespace atelier::kernels
