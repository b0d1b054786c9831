#include "atelier/generate/step_plan.h"

#include <gtest/gtest.h>

namespace atelier::generate {
namespace {

using Rows = std::vector<int64_t>;

// Rows of each prompt, 0 for those without a turn.
Rows rows_of(std::span<const PromptDemand> demands, int64_t budget) {
  Rows rows(demands.size(), 0);
  for (const PromptShare& share : share_rows(demands, budget)) rows[share.prompt] = share.rows;
  return rows;
}

TEST(StepPlan, a_single_prompt_gets_the_whole_budget) {
  const PromptDemand demand{1000, 0};
  EXPECT_EQ(rows_of(std::span(&demand, 1), 512), Rows{512});
  EXPECT_TRUE(share_rows({}, 512).empty());
}

TEST(StepPlan, equal_parts_and_what_short_ones_leave_over) {
  const std::vector<PromptDemand> demands = {{1000, 0}, {10, 0}, {1000, 0}, {1000, 0}};
  EXPECT_EQ(rows_of(demands, 512), (Rows{246, 10, 128, 128})) << "nobody less than a quarter unless it needs less";
}

TEST(StepPlan, with_too_little_for_all_everybody_has_a_turn) {
  std::vector<PromptDemand> demands(5, PromptDemand{1000, 0});
  Rows total(5, 0);
  int64_t turn = 0;
  for (int step = 0; step < 15; ++step) {
    const auto shares = share_rows(demands, 128);
    EXPECT_EQ(shares.size(), 2u);
    for (const PromptShare& share : shares) {
      total[share.prompt] += share.rows;
      demands[share.prompt].last_turn = ++turn;
    }
  }
  EXPECT_EQ(total, Rows(5, 15 * 128 / 5));
}

}  // namespace
}  // namespace atelier::generate
