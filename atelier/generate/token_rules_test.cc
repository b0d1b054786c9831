#include "atelier/generate/token_rules.h"

#include <gtest/gtest.h>

namespace atelier::generate {
namespace {

std::vector<int32_t> allowed_of(const TokenRules& rules, std::vector<int32_t> tokens, int64_t num_answer, int64_t max_tokens = -1) {
  const std::vector<int32_t> stop_ids = {1};
  std::vector<uint64_t> bits = {0x3FF};  // ten tokens
  apply_rules(rules, {tokens, num_answer, max_tokens, stop_ids}, bits);
  std::vector<int32_t> allowed;
  for (int32_t id = 0; id < 10; ++id) {
    if (bits[0] >> id & 1) allowed.push_back(id);
  }
  return allowed;
}

TEST(TokenRules, forbid_what_would_repeat_a_row_of_tokens) {
  EXPECT_EQ(allowed_of({.no_repeat_ngram = 3}, {2, 3, 4, 5, 2, 3, 6, 2, 3}, 4), (std::vector<int32_t>{0, 1, 2, 3, 5, 7, 8, 9}));
  EXPECT_EQ(allowed_of({.no_repeat_ngram = 1}, {2, 3, 2}, 3), (std::vector<int32_t>{0, 1, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(allowed_of({.no_repeat_ngram = 4}, {2, 2}, 2).size(), 10u);
}

TEST(TokenRules, let_no_end_come_early_and_no_banned_token_ever) {
  EXPECT_EQ(allowed_of({.min_tokens = 2}, {0, 5}, 1).size(), 9u);
  EXPECT_EQ(allowed_of({.min_tokens = 2}, {0, 5, 5}, 2).size(), 10u);
  EXPECT_EQ(allowed_of({.banned_ids = {3, 99}}, {0}, 0), (std::vector<int32_t>{0, 1, 2, 4, 5, 6, 7, 8, 9}));
}

TEST(TokenRules, force_the_first_and_the_last_token_over_all_others) {
  const TokenRules rules = {.no_repeat_ngram = 1, .min_tokens = 9, .banned_ids = {7}, .forced_first = 7, .forced_last = 1};
  EXPECT_EQ(allowed_of(rules, {0}, 0, 5), std::vector<int32_t>{7});
  EXPECT_EQ(allowed_of(rules, {0, 7, 2, 3, 4}, 4, 5), std::vector<int32_t>{1});
  EXPECT_EQ(allowed_of(rules, {0}, 0, 1), std::vector<int32_t>{1}) << "an answer of one token is its last";
  EXPECT_EQ(allowed_of(rules, {0, 7}, 1, 5).size(), 7u);
}

}  // namespace
}  // namespace atelier::generate
