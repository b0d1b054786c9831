// Linear layers on the team: which thread computes which outputs.
//
// The unit of work is a block of outputs of one linear for a block of rows, so that its weights, once read, stay in the L2 cache while
// the rows pass. The cut into units never shows in the result: every output row is summed in its own fixed order (docs/adr/0005).
#include <algorithm>
#include <memory>
#include <vector>

#include "atelier/kernels/dispatch.h"
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
    body(block, row_begin, std::min(T, row_begin + kRowsPerUnit), thread_scratch(linear_scratch_bytes(K)));
  });
}

// Rows that are worth a thread when each of K inputs is read and written once.
int64_t rows_per_piece(int64_t K) { return std::max<int64_t>(1, 32768 / K); }

// Storage of quantized rows that lives from call to call: the owner thread's.
QuantizedRows quantized_rows(int64_t T, int64_t K) {
  thread_local std::vector<int8_t> quants;
  thread_local std::vector<float> scales;
  thread_local std::vector<int32_t> sums;
  const int64_t blocks = T * (K / kQuantBlock);
  if (const size_t need = static_cast<size_t>(T * K); quants.size() < need) quants.resize(need);
  if (const size_t need = static_cast<size_t>(blocks * 4); scales.size() < need) scales.resize(need);
  if (const size_t need = static_cast<size_t>(blocks * 3); sums.size() < need) sums.resize(need);
  QuantizedRows rows;
  rows.q = quants.data();
  rows.scale = scales.data();
  rows.offset32 = rows.scale + blocks;
  rows.offset16 = rows.offset32 + blocks;
  rows.sum32 = sums.data();
  rows.sum16 = rows.sum32 + blocks;
  rows.T = T;
  rows.K = K;
  return rows;
}

// The same for rows rounded to bfloat16.
Bf16Rows rounded_rows(const KernelTable& table, const FloatRows& x) {
  thread_local std::vector<uint16_t> memory;
  const int64_t width = bf16_width(x.K);
  if (const size_t need = static_cast<size_t>(x.T * width); memory.size() < need) memory.resize(need);
  uint16_t* out = memory.data();
  parallel_for(x.T, rows_per_piece(x.K), [&](int64_t begin, int64_t end, int) { table.round_rows(x, out, width, begin, end); });
  return {out, width, x.T, x.K};
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

}  // namespace

void linear(std::span<const Linear> group, const float* x, int64_t ldx, int64_t T, int64_t K, Compute compute) {
  if (T <= 0 || group.empty()) return;
  const KernelTable& table = active();
  const auto takes_int8 = [&](const Linear& l) { return compute == Compute::kInt8 && is_quantized(l.dtype) && K % kQuantBlock == 0; };
  const bool some_int8 = std::any_of(group.begin(), group.end(), takes_int8);

  const auto takes_bf16 = [&](DType dtype) { return compute == Compute::kBF16 && dtype == DType::kBF16 && table.linear_bf16 != nullptr; };
  const bool some_bf16 = std::any_of(group.begin(), group.end(), [&](const Linear& l) { return takes_bf16(l.dtype); });

  const Bf16Rows rounded = some_bf16 ? rounded_rows(table, {x, ldx, T, K}) : Bf16Rows{};
  QuantizedRows quantized;
  if (some_int8) {
    quantized = quantized_rows(T, K);
    parallel_for(T, rows_per_piece(K), [&](int64_t begin, int64_t end, int) {
      table.quantize_rows({x, ldx, T, K}, quantized, begin, end);
    });
  }
  for_each_unit(group, T, K, [&](const OutputBlock& block, int64_t row_begin, int64_t row_end, void* scratch) {
    const FloatRows rows = {x + row_begin * ldx, ldx, row_end - row_begin, K};
    if (some_int8 && is_quantized(block.dtype)) {
      table.linear_int8(rows_from(quantized, row_begin, row_end), block, scratch);
    } else if (takes_bf16(block.dtype)) {
      table.linear_bf16({rounded.x + row_begin * rounded.width, rounded.width, row_end - row_begin, K}, block);
    } else {
      table.linear_f32(rows, block, scratch);
    }
  });
}

}  // namespace atelier::kernels
