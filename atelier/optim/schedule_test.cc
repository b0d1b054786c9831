// Learning rates against the formulas of their sources, computed here in the sources' own terms.
#include "atelier/optim/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

namespace atelier::optim {
namespace {

// nanoGPT's get_lr(it), it = u - 1.
double nanogpt(double lr, double min_lr, double warmup, double decay_iters, double it) {
  if (it < warmup) return lr * (it + 1) / (warmup + 1);
  if (it > decay_iters) return min_lr;
  return min_lr + 0.5 * (1 + std::cos(M_PI * (it - warmup) / (decay_iters - warmup))) * (lr - min_lr);
}

TEST(Schedule, cosine_is_nanogpts) {
  const ScheduleOptions options{"cosine", 1e-3, 1e-4, 2500, 100, 2000};
  for (const int64_t u : {1, 50, 100, 101, 102, 1000, 1999, 2000, 2001, 2002, 2500}) {
    EXPECT_NEAR(learning_rate_at(options, u), nanogpt(1e-3, 1e-4, 100, 2000, static_cast<double>(u - 1)), 1e-15) << u;
  }
}

TEST(Schedule, linear_is_transformers_behind_the_warm_up) {
  const ScheduleOptions options{"linear", 2e-5, 0, 1000, 100};
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 101), 2e-5);  // get_linear_schedule_with_warmup's step 100
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 551), 2e-5 * (1000.0 - 550) / (1000 - 100));
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 1001), 0);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 50), 2e-5 * 50 / 101);
}

TEST(Schedule, noam_is_the_papers_equation_3) {
  const ScheduleOptions options{"noam", 1, 0, 100'000, 4000, 0, 512};
  for (const double step : {1.0, 100.0, 4000.0, 4001.0, 50'000.0}) {
    const double want = std::pow(512, -0.5) * std::min(std::pow(step, -0.5), step * std::pow(4000, -1.5));
    EXPECT_NEAR(learning_rate_at(options, static_cast<int64_t>(step)), want, 1e-15);
  }
}

TEST(Schedule, inverse_square_root_falls_from_the_peak) {
  const ScheduleOptions options{"inverse_sqrt", 1e-2, 0, 1000, 99};
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 100), 1e-2);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 400), 5e-3);
}

TEST(Schedule, wsd_stays_and_then_falls_by_a_square_root) {
  const ScheduleOptions options{"wsd", 1e-3, 1e-4, 1000, 10, 200};
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 11), 1e-3);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 801), 1e-3);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 851), 1e-4 + 9e-4 * 0.5);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 1001), 1e-4);
  ScheduleOptions fifth = options;
  fifth.decay_steps = 0;
  EXPECT_DOUBLE_EQ(learning_rate_at(fifth, 851), learning_rate_at(options, 851));
}

TEST(Schedule, every_shape_is_finite_and_never_above_its_peak) {
  for (const char* shape : schedule_shapes()) {
    for (const int64_t warmup : {0, 7}) {
      const ScheduleOptions options{shape, 0.5, 0.1, 20, warmup, 0, 4};
      for (int64_t u = 1; u <= 25; ++u) {
        const double rate = learning_rate_at(options, u);
        EXPECT_TRUE(rate > 0 && rate <= 0.5 + 1e-12) << shape << " at " << u << ": " << rate;
      }
    }
  }
}

}  // namespace
}  // namespace atelier::optim
