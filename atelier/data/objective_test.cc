#include "atelier/data/objective.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "atelier/data/masking.h"

namespace atelier::data {
namespace {

constexpr int32_t kCls = 1, kSep = 2, kMask = 3, kFirst = 10;

// Forty tokens; every third from kFirst on begins a word, the others go on with it.
ObjectiveTokens vocabulary() {
  ObjectiveTokens out;
  out.frame = {{kCls}, {kSep}, {kSep}, true, 1};
  out.mask = kMask;
  out.vocab_size = 40;
  for (int32_t id = 0; id < 40; ++id) out.continues.push_back(id >= kFirst && (id - kFirst) % 3 != 0);
  return out;
}

std::vector<int32_t> tokens(size_t count) {
  std::vector<int32_t> out(count);
  for (size_t i = 0; i < count; ++i) out[i] = kFirst + static_cast<int32_t>(i % 30);
  return out;
}

int64_t num_labelled(const Example& example) {
  return std::ssize(example.labels) - std::count(example.labels.begin(), example.labels.end(), kIgnoredLabel);
}

TEST(Masking, hides_fifteen_percent_rounded_as_python_does_and_never_special_tokens) {
  for (const auto& [length, wanted] : {std::pair(1, 1), {3, 1}, {8, 2}, {28, 4}, {48, 8}, {126, 19}}) {  // 10: 1.5 -> 2, 30: 4.5 -> 4
    const std::vector<int32_t> text = tokens(static_cast<size_t>(length));
    for (uint64_t sample = 0; sample < 20; ++sample) {
      const Example example = mask_tokens(vocabulary(), text, false, 7, sample);
      ASSERT_EQ(example.ids.size(), text.size() + 2);
      EXPECT_EQ(num_labelled(example), wanted) << length;
      EXPECT_EQ(example.ids.front(), kCls);
      EXPECT_EQ(example.ids.back(), kSep);
      EXPECT_EQ(example.labels.front(), kIgnoredLabel);
      EXPECT_EQ(example.labels.back(), kIgnoredLabel);
      for (size_t t = 0; t < text.size(); ++t) {
        const int32_t label = example.labels[t + 1];
        EXPECT_EQ(label == kIgnoredLabel ? example.ids[t + 1] : label, text[t]);
      }
    }
  }
}

TEST(Masking, replaces_eight_in_ten_keeps_one_and_draws_one_from_the_whole_vocabulary) {
  const std::vector<int32_t> text = tokens(98);
  double masked = 0, kept = 0, other = 0, special = 0;
  for (uint64_t sample = 0; sample < 2000; ++sample) {
    const Example example = mask_tokens(vocabulary(), text, false, 1, sample);
    for (size_t t = 0; t < example.ids.size(); ++t) {
      if (example.labels[t] == kIgnoredLabel) continue;
      const int32_t id = example.ids[t];
      (id == kMask ? masked : id == example.labels[t] ? kept : other) += 1;
      special += id < kFirst && id != kMask;
    }
  }
  const double total = masked + kept + other;  // 30,000
  EXPECT_NEAR(masked / total, 0.8 + 0.1 / 40, 0.01);
  EXPECT_NEAR(kept / total, 0.1 + 0.1 / 40, 0.01);
  EXPECT_NEAR(other / total, 0.1 - 0.2 / 40, 0.01);
  EXPECT_NEAR(special / total, 0.1 * 9 / 40, 0.005);
}

TEST(Masking, whole_words_are_hidden_together_and_never_overshoot) {
  const std::vector<int32_t> text = tokens(90);
  for (uint64_t sample = 0; sample < 50; ++sample) {
    const Example example = mask_tokens(vocabulary(), text, true, 3, sample);
    EXPECT_EQ(num_labelled(example), 12);  // 14 are wanted, words have three pieces
    for (size_t t = 1; t + 1 < example.ids.size(); t += 3) {
      const bool first = example.labels[t] != kIgnoredLabel;
      EXPECT_EQ(first, example.labels[t + 1] != kIgnoredLabel);
      EXPECT_EQ(first, example.labels[t + 2] != kIgnoredLabel);
    }
  }
}

TEST(Masking, is_another_for_each_sample_and_the_same_for_the_same) {
  const std::vector<int32_t> text = tokens(60);
  const Example first = mask_tokens(vocabulary(), text, false, 5, 0), again = mask_tokens(vocabulary(), text, false, 5, 0);
  EXPECT_EQ(first.ids, again.ids);
  EXPECT_EQ(first.labels, again.labels);
  EXPECT_NE(first.labels, mask_tokens(vocabulary(), text, false, 5, 1).labels);
  EXPECT_NE(first.labels, mask_tokens(vocabulary(), text, false, 6, 0).labels);
}

TEST(Objectives, are_found_by_name_and_leave_running_text_alone_where_they_should) {
  EXPECT_GE(objectives().size(), 3u);
  ASSERT_NE(find_objective("masked_lm"), nullptr);
  EXPECT_EQ(find_objective("mased_lm"), nullptr);
  Row row;
  row.append({tokens(5), tokens(5)}, 9);
  const Row same = objective_row(*find_objective("causal_lm"), vocabulary(), row, 1);
  EXPECT_EQ(same.ids, row.ids);
  EXPECT_EQ(same.labels, row.labels);
  const Row masked = objective_row(*find_objective("masked_lm"), vocabulary(), row, 1);
  EXPECT_EQ(masked.lengths, std::vector<int64_t>{7});
  EXPECT_EQ(masked.samples, std::vector<uint64_t>{9});
}

}  // namespace
}  // namespace atelier::data
