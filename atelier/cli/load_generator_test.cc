#include "atelier/cli/load_generator.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/test_server.h"

namespace atelier::cli {
namespace {

constexpr auto kGoOn = [](int64_t) { return true; };

class LoadGenerator : public ::testing::Test {
 protected:
  LoadOptions options() const {
    LoadOptions load;
    load.url = "http://127.0.0.1:" + std::to_string(server_.port());
    load.model = "tiny";
    load.streams = 4;
    load.requests = 12;
    load.prompt = 20;
    load.generate = 8;
    load.vocabulary = 300;
    return load;
  }
  serve::TestServer server_;
};

TEST(Percentiles, are_by_nearest_rank) {
  std::vector<double> values(100);
  std::iota(values.rbegin(), values.rend(), 1.0);
  const Percentiles all = percentiles(values);
  EXPECT_EQ(all.p50, 50);
  EXPECT_EQ(all.p95, 95);
  EXPECT_EQ(all.p99, 99);
  EXPECT_EQ(all.max, 100);
  EXPECT_EQ(percentiles({7}).p95, 7);
  EXPECT_EQ(percentiles({}).p50, 0);
}

TEST_F(LoadGenerator, a_closed_loop_asks_again) {
  const auto report = run_load(options(), kGoOn);
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_EQ(report->completed, 12);
  EXPECT_EQ(report->output_tokens, 12 * 8);
  EXPECT_EQ(report->prompt_tokens, 12 * 20);
  EXPECT_EQ(report->short_answers, 0);
  EXPECT_TRUE(report->failed.empty());
  EXPECT_GT(report->first_token.p50, 0);
  EXPECT_GE(report->request.p50, report->first_token.p50);
  EXPECT_GT(report->fairness, 0);
  EXPECT_EQ(first_model_of(options()).value(), "tiny");
}

TEST_F(LoadGenerator, prompts_share_what_they_are_told_to) {
  LoadOptions load = options();
  load.shared = 16;
  load.warmup = 1;
  const auto report = run_load(load, kGoOn);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->cached_tokens, 12 * 16);
}

TEST_F(LoadGenerator, an_open_loop_does_not_wait_for_answers) {
  LoadOptions load = options();
  load.rate = 1000;
  load.requests = 40;
  const auto report = run_load(load, kGoOn);
  ASSERT_TRUE(report.ok());
  int64_t num_failed = 0;
  for (const auto& [reason, count] : report->failed) {
    EXPECT_EQ(reason, "429");
    num_failed += count;
  }
  EXPECT_EQ(report->completed + num_failed, 40);
}

TEST_F(LoadGenerator, clients_that_leave_are_counted_and_given_up) {
  LoadOptions load = options();
  load.leave = 1;
  const auto report = run_load(load, kGoOn);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->left, 12);
  EXPECT_TRUE(server_.becomes_idle());
}

TEST_F(LoadGenerator, says_why_there_is_no_answer) {
  LoadOptions load = options();
  load.model = "other";
  EXPECT_NE(run_load(load, kGoOn).status().message().find("404"), std::string::npos);
  load.url = "http://127.0.0.1:1";
  EXPECT_EQ(run_load(load, kGoOn).status().code(), StatusCode::kIo);
  EXPECT_EQ(run_load(options(), [](int64_t) { return false; }).status().code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace atelier::cli
