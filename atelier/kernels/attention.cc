// Attention on the team: one unit of work is a block of query rows of a run with the heads of one kv head.
#include <algorithm>
#include <vector>

#include "atelier/kernels/dispatch.h"
#include "atelier/kernels/scratch.h"
#include "atelier/parallel/parallel.h"

namespace atelier::kernels {
namespace {

struct Unit {
  int32_t run;
  int32_t kv_head;
  int64_t row;  // first row, within the run
};

// Late rows of a run see more keys, so that equal numbers of blocks are unequal work: taking blocks from both ends in turn gives
// every contiguous share of the list about the same.
std::vector<Unit> make_units(const AttentionShape& shape, std::span<const AttentionRun> runs) {
  std::vector<Unit> units;
  for (size_t r = 0; r < runs.size(); ++r) {
    const int64_t blocks = (runs[r].num_rows + kAttentionRows - 1) / kAttentionRows;
    for (int64_t i = 0; i < blocks; ++i) {
      const int64_t block = i % 2 == 0 ? i / 2 : blocks - 1 - i / 2;
      for (int64_t g = 0; g < shape.num_kv_heads; ++g) {
        units.push_back({static_cast<int32_t>(r), static_cast<int32_t>(g), block * kAttentionRows});
      }
    }
  }
  return units;
}

AttentionBlock make_block(const AttentionShape& shape, const AttentionRun& run, const Unit& unit, const float* q, int64_t ldq, float* out,
                          int64_t ldo) {
  AttentionBlock block;
  block.num_heads = shape.num_heads / shape.num_kv_heads;
  block.num_rows = std::min(kAttentionRows, run.num_rows - unit.row);
  const int64_t row = run.first_row + unit.row;
  const int64_t column = unit.kv_head * block.num_heads * shape.head_dim;
  block.q = q + row * ldq + column;
  block.ldq = ldq;
  block.out = out + row * ldo + column;
  block.ldo = ldo;
  block.first_position = run.first_position + unit.row;
  block.dtype = run.kv.dtype;
  block.row_bytes = row_bytes(run.kv.dtype, shape.head_dim);
  const int64_t head_offset = unit.kv_head * kKeyTile * block.row_bytes;
  block.pages = run.kv.pages;
  block.k_offset = run.kv.k_offset + head_offset;
  block.v_offset = run.kv.v_offset + head_offset;
  block.alibi_slopes = shape.alibi_slopes ? shape.alibi_slopes + unit.kv_head * block.num_heads : nullptr;
  return block;
}

// A tile of keys or values as float32; per query a copy of it, its running sums, its scores in the tile and three numbers.
int64_t attention_scratch_bytes(const AttentionShape& shape) {
  const int64_t queries = kAttentionRows * (shape.num_heads / shape.num_kv_heads);
  const int64_t width = shape.head_dim + 16;
  return static_cast<int64_t>(sizeof(float)) * (kKeyTile * width + queries * (kKeyTile + 2 * width + 3));
}

}  // namespace

void attention(const AttentionShape& shape, std::span<const AttentionRun> runs, const float* q, int64_t ldq, float* out, int64_t ldo) {
  const KernelTable& table = active();
  const std::vector<Unit> units = make_units(shape, runs);
  parallel_for(static_cast<int64_t>(units.size()), 1, [&](int64_t begin, int64_t end, int) {
    float* scratch = static_cast<float*>(thread_scratch(attention_scratch_bytes(shape)));
    for (int64_t i = begin; i < end; ++i) {
      table.attention(shape, make_block(shape, runs[units[i].run], units[i], q, ldq, out, ldo), scratch);
    }
  });
}

}  // namespace atelier::kernels
