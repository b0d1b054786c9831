// Attention on the team. A unit is a block of query rows of a run with the heads of one kv head; a unit with much of the work is cut
// into its spans of keys, whose sums are joined once all are there. Threads take what is left, the largest first, so that they end
// together; who computes what does not show in the results.
#include <algorithm>
#include <atomic>
#include <vector>

#include "atelier/kernels/dispatch.h"
#include "atelier/kernels/kv_tile.h"
#include "atelier/kernels/scratch.h"
#include "atelier/parallel/parallel.h"

namespace atelier::kernels {
namespace {

constexpr int64_t kMaxQueries = 192;     // of a unit, if its rows are more than one: their sums stay in the L2 cache
constexpr int64_t kMaxRows = 64;         // of a unit
constexpr int64_t kSharesPerThread = 4;  // a unit that is more than one share of the work is cut

struct Unit {
  int32_t run;
  int32_t kv_head;
  int64_t row;  // first row, within the run
  int64_t num_rows;
  int64_t first_span, num_spans;
  int64_t sums = -1;  // of a cut unit: where its spans' sums begin in Plan::sums
};

struct Task {
  int64_t cost;  // keys times queries
  int32_t unit;
  int32_t span;  // -1: all of the unit
};

// The lists of one call, kept for the next.
struct Plan {
  std::vector<Unit> units;
  std::vector<Task> tasks;
  std::vector<float> sums;
};

int64_t group_size(const AttentionShape& shape) { return shape.num_heads / shape.num_kv_heads; }

// Whole cache lines.
int64_t floats_of_sums(const AttentionShape& shape, int64_t queries) {
  return (queries * (attention_width(shape.head_dim) + 2) + 15) / 16 * 16;
}

AttentionSums sums_at(const AttentionShape& shape, int64_t queries, float* memory) {
  const int64_t width = attention_width(shape.head_dim);
  return {memory, memory + queries * width, memory + queries * (width + 1), width};
}

// Where the keys that rows up to `last_position` see end.
int64_t end_of_keys(const AttentionRun& run, int64_t last_position) { return std::max(last_position + 1, run.prefix); }

// Keys from `begin` to `end` that a row of the unit sees; the range of its spans if those are all keys.
int64_t keys_of(const AttentionShape& shape, const AttentionRun& run, const Unit& unit, int64_t begin, int64_t end) {
  const int64_t position = run.first_position + unit.row;
  const int64_t first = shape.window > 0 ? std::max<int64_t>(0, position + 1 - shape.window) : 0;
  return std::min(end, end_of_keys(run, position + unit.num_rows - 1)) - std::max(begin, first);
}

void add_units(const AttentionShape& shape, std::span<const AttentionRun> runs, Plan& plan) {
  const int64_t block_rows = std::clamp<int64_t>(kMaxQueries / group_size(shape), 1, kMaxRows);
  for (size_t r = 0; r < runs.size(); ++r) {
    for (int64_t row = 0; row < runs[r].num_rows; row += block_rows) {
      const int64_t rows = std::min(block_rows, runs[r].num_rows - row), position = runs[r].first_position + row;
      const int64_t first = shape.window > 0 ? std::max<int64_t>(0, position + 1 - shape.window) / kKeySpan : 0;
      const int64_t spans = (end_of_keys(runs[r], position + rows - 1) - 1) / kKeySpan + 1 - first;
      for (int32_t g = 0; g < shape.num_kv_heads; ++g) plan.units.push_back({static_cast<int32_t>(r), g, row, rows, first, spans});
    }
  }
}

void make_plan(const AttentionShape& shape, std::span<const AttentionRun> runs, Plan& plan) {
  plan.units.clear();
  plan.tasks.clear();
  add_units(shape, runs, plan);
  const auto cost = [&](const Unit& unit, int64_t first_span, int64_t num_spans) {
    return unit.num_rows * keys_of(shape, runs[unit.run], unit, first_span * kKeySpan, (first_span + num_spans) * kKeySpan);
  };
  int64_t total = 0, sums = 0;
  for (const Unit& unit : plan.units) total += cost(unit, unit.first_span, unit.num_spans);
  const int64_t share = num_threads() > 1 ? total / (kSharesPerThread * num_threads()) : total;
  for (size_t i = 0; i < plan.units.size(); ++i) {
    Unit& unit = plan.units[i];
    const int64_t whole = cost(unit, unit.first_span, unit.num_spans);
    if (whole <= share || unit.num_spans == 1) {
      plan.tasks.push_back({whole, static_cast<int32_t>(i), -1});
      continue;
    }
    unit.sums = sums;
    sums += unit.num_spans * floats_of_sums(shape, unit.num_rows * group_size(shape));
    for (int64_t s = 0; s < unit.num_spans; ++s) {
      plan.tasks.push_back({cost(unit, unit.first_span + s, 1), static_cast<int32_t>(i), static_cast<int32_t>(s)});
    }
  }
  if (static_cast<int64_t>(plan.sums.size()) < sums) plan.sums.resize(static_cast<size_t>(sums));
  std::sort(plan.tasks.begin(), plan.tasks.end(), [](const Task& a, const Task& b) { return a.cost > b.cost; });
}

// One call: what all its tasks share.
class Attention {
 public:
  Attention(const AttentionShape& shape, std::span<const AttentionRun> runs, const float* q, int64_t ldq, float* out, int64_t ldo,
            Compute compute, float* log_sums, Plan& plan)
      : shape_(shape),
        runs_(runs),
        q_(q),
        ldq_(ldq),
        out_(out),
        ldo_(ldo),
        log_sums_(log_sums),
        table_(active()),
        attend_(compute == Compute::kBF16 && table_.attention_bf16 ? table_.attention_bf16 : table_.attention_f32),
        plan_(plan) {}

  void run() const {
    const int64_t num_tasks = static_cast<int64_t>(plan_.tasks.size());
    std::atomic<int64_t> next{0};
    parallel_for(std::min<int64_t>(num_threads(), num_tasks), 1, [&](int64_t, int64_t, int) {
      for (int64_t i = next++; i < num_tasks; i = next++) run_task(plan_.tasks[i]);
    });
    for (const Unit& unit : plan_.units) {
      if (unit.sums >= 0) join(unit);
    }
  }

 private:
  void run_task(const Task& task) const {
    const Unit& unit = plan_.units[task.unit];
    const AttentionBlock block = block_of(unit);
    const int64_t queries = block.num_rows * block.num_heads, floats = floats_of_sums(shape_, queries);
    float* scratch = scratch_for(queries);
    float* kernel_scratch = scratch + 2 * floats;
    if (task.span >= 0) {
      const AttentionSums sums = sums_at(shape_, queries, plan_.sums.data() + unit.sums + task.span * floats);
      return attend_(shape_, block, unit.first_span + task.span, sums, kernel_scratch);
    }
    const AttentionSums whole = sums_at(shape_, queries, scratch), part = sums_at(shape_, queries, scratch + floats);
    clear(whole, queries);
    for (int64_t s = 0; s < unit.num_spans; ++s) {
      attend_(shape_, block, unit.first_span + s, part, kernel_scratch);
      table_.attention_fold(part, queries, whole);
    }
    table_.attention_write(shape_, block, whole);
  }

  void join(const Unit& unit) const {
    const AttentionBlock block = block_of(unit);
    const int64_t queries = block.num_rows * block.num_heads, floats = floats_of_sums(shape_, queries);
    const AttentionSums whole = sums_at(shape_, queries, scratch_for(queries));
    clear(whole, queries);
    for (int64_t s = 0; s < unit.num_spans; ++s) {
      table_.attention_fold(sums_at(shape_, queries, plan_.sums.data() + unit.sums + s * floats), queries, whole);
    }
    table_.attention_write(shape_, block, whole);
  }

  static void clear(const AttentionSums& sums, int64_t queries) {
    std::fill_n(sums.values, queries * sums.width, 0.0f);
    std::fill_n(sums.largest, queries, -__builtin_inff());
    std::fill_n(sums.totals, queries, 0.0f);
  }

  float* scratch_for(int64_t queries) const {
    const int64_t floats = 2 * floats_of_sums(shape_, queries) + attention_scratch_floats(shape_.head_dim, queries);
    return static_cast<float*>(thread_scratch(floats * static_cast<int64_t>(sizeof(float))));
  }

  AttentionBlock block_of(const Unit& unit) const {
    const AttentionRun& run = runs_[unit.run];
    AttentionBlock block;
    block.num_heads = group_size(shape_);
    block.num_rows = unit.num_rows;
    const int64_t row = run.first_row + unit.row, column = unit.kv_head * block.num_heads * shape_.head_dim;
    block.q = q_ + row * ldq_ + column;
    block.ldq = ldq_;
    block.out = out_ + row * ldo_ + column;
    block.ldo = ldo_;
    block.log_sums = log_sums_ ? log_sums_ + row * shape_.num_heads + unit.kv_head * block.num_heads : nullptr;
    block.ld_log_sums = shape_.num_heads;
    block.first_position = run.first_position + unit.row;
    block.prefix = run.prefix;
    block.dtype = run.kv.dtype;
    block.tile_bytes = kv_tile_bytes(run.kv.dtype, shape_.head_dim);
    block.pages = run.kv.pages;
    block.offset = run.kv.offset + unit.kv_head * 2 * block.tile_bytes;
    const int64_t head = unit.kv_head * block.num_heads;
    block.alibi_slopes = shape_.alibi_slopes ? shape_.alibi_slopes + head : nullptr;
    block.relative_bias = shape_.relative_bias ? shape_.relative_bias + head * (2 * shape_.reach + 1) : nullptr;
    return block;
  }

  const AttentionShape& shape_;
  std::span<const AttentionRun> runs_;
  const float* q_;
  int64_t ldq_;
  float* out_;
  int64_t ldo_;
  float* log_sums_;
  const KernelTable& table_;
  decltype(KernelTable::attention_f32) attend_;
  Plan& plan_;
};

}  // namespace

void attention(const AttentionShape& shape, std::span<const AttentionRun> runs, const float* q, int64_t ldq, float* out, int64_t ldo,
               Compute compute, float* log_sums) {
  thread_local Plan plan;
  make_plan(shape, runs, plan);
  Attention(shape, runs, q, ldq, out, ldo, compute, log_sums, plan).run();
}

}  // namespace atelier::kernels
