#include "atelier/parallel/team.h"

#include <gtest/gtest.h>

#include <numeric>
#include <stdexcept>

#include "atelier/base/error.h"
#include "atelier/parallel/parallel.h"

namespace atelier {
namespace {

TEST(Team, every_thread_of_a_loop_runs_once_whatever_sizes_follow_each_other) {
  parallel::Team team;
  for (const int size : {1, 4, 2, 3, 1, 4, 4, 2}) {
    for (int repeat = 0; repeat < 200; ++repeat) {
      std::vector<int> calls(static_cast<size_t>(size), 0);
      team.run(size, [&](int thread) { ++calls[static_cast<size_t>(thread)]; });
      for (const int count : calls) ASSERT_EQ(count, 1);
    }
  }
}

TEST(Team, wakes_workers_that_went_to_sleep) {
  parallel::Team team;
  for (int repeat = 0; repeat < 3; ++repeat) {
    std::atomic<int> calls{0};
    team.run(3, [&](int) { ++calls; });
    EXPECT_EQ(calls, 3);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

TEST(Team, rethrows_one_exception_and_goes_on) {
  parallel::Team team;
  EXPECT_THROW(team.run(4, [](int) { throw std::runtime_error("worker"); }), std::runtime_error);
  int calls = 0;
  team.run(1, [&](int) { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(Team, refuses_a_loop_within_a_loop) {
  parallel::Team team;
  EXPECT_THROW(team.run(2, [&](int) { team.run(2, [](int) {}); }), InternalError);
}

TEST(ParallelFor, covers_every_index_once_with_borders_at_the_grain) {
  set_num_threads(3);
  for (const int64_t count : {0, 1, 5, 64, 1000}) {
    std::vector<int> seen(static_cast<size_t>(count), 0);
    parallel_for(count, 8, [&](int64_t begin, int64_t end, int) {
      EXPECT_EQ(begin % 8, 0);
      for (int64_t i = begin; i < end; ++i) ++seen[static_cast<size_t>(i)];
    });
    EXPECT_EQ(std::accumulate(seen.begin(), seen.end(), int64_t{0}), count);
  }
  set_num_threads(available_cores());
}

TEST(AvailableCores, is_at_least_one) { EXPECT_GE(available_cores(), 1); }

}  // namespace
}  // namespace atelier
