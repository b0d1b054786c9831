#include "atelier/parallel/team.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/parallel/parallel.h"
#include "atelier/parallel/work_range.h"

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

TEST(ParallelForEach, calls_every_unit_once_also_those_of_a_thread_that_is_held_up) {
  set_num_threads(4);
  for (const int64_t count : {0, 1, 3, 64, 1001}) {
    std::vector<std::atomic<int>> calls(static_cast<size_t>(count));
    parallel_for_each(count, [&](int64_t unit, int) {
      if (unit == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      ++calls[static_cast<size_t>(unit)];
    });
    for (const std::atomic<int>& unit_calls : calls) ASSERT_EQ(unit_calls, 1);
  }
  set_num_threads(available_cores());
}

TEST(ParallelForEach, goes_on_after_an_exception) {
  set_num_threads(3);
  EXPECT_THROW(parallel_for_each(100,
                                 [](int64_t unit, int) {
                                   if (unit == 50) throw std::runtime_error("unit");
                                 }),
               std::runtime_error);
  std::atomic<int> calls{0};
  parallel_for_each(100, [&](int64_t, int) { ++calls; });
  EXPECT_EQ(calls, 100);
  set_num_threads(available_cores());
}

TEST(WorkRange, gives_units_from_both_ends_until_none_is_left) {
  parallel::WorkRange range;
  EXPECT_EQ(range.take_first(), -1);
  range.set(5, 8);
  EXPECT_EQ(range.take_first(), 5);
  EXPECT_EQ(range.take_last(), 7);
  EXPECT_EQ(range.take_last(), 6);
  EXPECT_EQ(range.take_first(), -1);
  EXPECT_EQ(range.take_last(), -1);
}

}  // namespace
}  // namespace atelier
