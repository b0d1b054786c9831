#include "atelier/generate/logprobs.h"

#include <gtest/gtest.h>

#include <cmath>

namespace atelier::generate {
namespace {

TEST(Logprobs, are_logarithms_of_the_softmax) {
  const std::vector<float> logits = {std::log(1.0f), std::log(2.0f), std::log(5.0f)};
  const double normaliser = log_normaliser(logits).value();
  const TokenReport report = report_token(logits, normaliser, 1, 2);
  EXPECT_NEAR(std::exp(report.logprob), 0.25, 1e-6);
  ASSERT_EQ(report.top.size(), 2u);
  EXPECT_EQ(report.top[0].id, 2);
  EXPECT_NEAR(std::exp(report.top[0].logprob), 0.625, 1e-6);
  EXPECT_EQ(report.top[1].id, 1);
}

TEST(Logprobs, more_alternatives_than_tokens_gives_all_of_them_in_order) {
  const TokenReport report = report_token(std::vector<float>{0, 1, 1}, 0, 0, 9);
  ASSERT_EQ(report.top.size(), 3u);
  EXPECT_EQ(report.top[0].id, 1) << "ties by id";
  EXPECT_EQ(report.top[1].id, 2);
}

TEST(Logprobs, refuse_logits_that_are_no_numbers) {
  EXPECT_TRUE(log_normaliser(std::vector<float>{0, -INFINITY}).ok()) << "a token may be impossible";
  EXPECT_FALSE(log_normaliser(std::vector<float>{0, NAN}).ok());
  EXPECT_FALSE(log_normaliser(std::vector<float>{0, INFINITY}).ok());
  EXPECT_FALSE(log_normaliser(std::vector<float>{-INFINITY, -INFINITY}).ok());
}

TEST(Logprobs, the_total_line_is_the_playgrounds) {
  LogprobTotal total;
  total.add({7, -0.15, {{7, std::log(0.9)}, {8, std::log(0.0854)}}});
  EXPECT_EQ(total.line(5), "Total: -0.15 logprob on 1 tokens (98.54% probability covered in top 5 logits)");
  total.add({7, -1.0, {{7, std::log(0.5)}}});
  EXPECT_EQ(total.line(5), "Total: -1.15 logprob on 2 tokens (74.27% probability covered in top 5 logits)") << "the mean of the coverages";
}

}  // namespace
}  // namespace atelier::generate
