// Every metric beside the library that defined it (tests/golden/make_metric_goldens.py), and what must hold of it for any input.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/json.h"
#include "atelier/base/rng.h"
#include "atelier/io/file.h"
#include "atelier/metrics/answers.h"
#include "atelier/metrics/entities.h"
#include "atelier/metrics/labels.h"
#include "atelier/metrics/numbers.h"
#include "tests/support/json_at.h"

namespace atelier::metrics {
namespace {

using testing::at;

const Json::Array& goldens(const char* group) {
  static const Json all = Json::parse(io::read_file(ATELIER_SOURCE_DIR "/tests/golden/metrics.json").value(), "metrics.json").value();
  return at(all, {group}).as_array();
}

std::vector<int32_t> labels_of(const Json& json) {
  std::vector<int32_t> out;
  for (const Json& label : json.as_array()) out.push_back(static_cast<int32_t>(label.as_int()));
  return out;
}

std::vector<double> numbers_of(const Json& json) {
  std::vector<double> out;
  for (const Json& number : json.as_array()) out.push_back(number.as_double());
  return out;
}

std::vector<std::string> words_of(const Json& json) {
  std::vector<std::string> out;
  for (const Json& word : json.as_array()) out.push_back(word.as_string());
  return out;
}

std::vector<std::vector<std::string>> texts_of(const Json& json) {
  std::vector<std::vector<std::string>> out;
  for (const Json& text : json.as_array()) out.push_back(words_of(text));
  return out;
}

void expect_rates(const Rates& rates, const Json& golden) {
  const std::vector<double> want = numbers_of(golden);
  EXPECT_NEAR(rates.precision, want[0], 1e-12);
  EXPECT_NEAR(rates.recall, want[1], 1e-12);
  EXPECT_NEAR(rates.f1, want[2], 1e-12);
}

TEST(Labels, EqualScikitLearn) {
  for (const Json& golden : goldens("labels")) {
    const std::vector<int32_t> predicted = labels_of(at(golden, {"predicted"})), expected = labels_of(at(golden, {"expected"}));
    EXPECT_DOUBLE_EQ(accuracy(predicted, expected), at(golden, {"accuracy"}).as_double());
    EXPECT_NEAR(matthews(predicted, expected), at(golden, {"matthews"}).as_double(), 1e-12);
    const std::vector<Counts> classes = count_classes(predicted, expected);
    expect_rates(micro_rates(classes), at(golden, {"micro"}));
    expect_rates(macro_rates(classes), at(golden, {"macro"}));
    if (golden.contains("binary")) expect_rates(binary_rates(predicted, expected), at(golden, {"binary"}));
  }
}

TEST(Labels, APerfectGuessAndItsOppositeAreTheEnds) {
  const std::vector<int32_t> truth{0, 1, 1, 0, 1}, opposite{1, 0, 0, 1, 0};
  EXPECT_DOUBLE_EQ(matthews(truth, truth), 1);
  EXPECT_DOUBLE_EQ(matthews(opposite, truth), -1);
  EXPECT_DOUBLE_EQ(binary_rates(truth, truth).f1, 1);
  EXPECT_DOUBLE_EQ(accuracy(opposite, truth), 0);
}

TEST(Labels, ListsOfDifferentLengthsAreAFault) {
  const std::vector<int32_t> two{0, 1}, three{0, 1, 1}, none, ignored{-100, 1};
  EXPECT_THROW(accuracy(two, three), InternalError);
  EXPECT_THROW(accuracy(none, none), InternalError);
  EXPECT_THROW(count_classes(two, ignored), InternalError);
}

TEST(Numbers, EqualScipy) {
  for (const Json& golden : goldens("numbers")) {
    const std::vector<double> x = numbers_of(at(golden, {"x"})), y = numbers_of(at(golden, {"y"}));
    EXPECT_NEAR(pearson(x, y), at(golden, {"pearson"}).as_double(), 1e-12);
    EXPECT_NEAR(spearman(x, y), at(golden, {"spearman"}).as_double(), 1e-12);
    const MeanAndError found = mean_and_error(x);
    EXPECT_NEAR(found.mean, at(golden, {"mean"}).as_double(), 1e-12);
    EXPECT_NEAR(found.standard_error, at(golden, {"standard_error"}).as_double(), 1e-12);
  }
}

TEST(Numbers, CorrelationsDoNotSeeScaleAndRanksNoMonotoneChange) {
  std::vector<double> x, y, stretched, cubed;
  for (uint64_t i = 0; i < 40; ++i) {
    x.push_back(random_uniform(1, 0, i));
    y.push_back(x.back() + random_uniform(2, 0, i));
    stretched.push_back(3 * x.back() - 7);
    cubed.push_back(y.back() * y.back() * y.back());
  }
  EXPECT_NEAR(pearson(x, y), pearson(stretched, y), 1e-12);
  EXPECT_NEAR(pearson(x, y), pearson(y, x), 1e-12);
  EXPECT_NEAR(spearman(x, y), spearman(x, cubed), 1e-12);
  EXPECT_NEAR(pearson(x, stretched), 1, 1e-12);
}

TEST(Numbers, AConstantHasNoCorrelationAndOneNumberNoError) {
  const std::vector<double> constant{2, 2, 2}, x{1, 2, 3}, one{4};
  EXPECT_EQ(pearson(constant, x), 0);
  EXPECT_EQ(spearman(x, constant), 0);
  EXPECT_EQ(pearson(one, one), 0);
  EXPECT_EQ(mean_and_error(one).standard_error, 0);
}

TEST(Entities, EqualSeqeval) {
  for (const Json& golden : goldens("tagged")) {
    const auto predicted = texts_of(at(golden, {"predicted"})), expected = texts_of(at(golden, {"expected"}));
    for (const char* name : {"conll", "strict"}) {
      const auto scheme = name == std::string("conll") ? EntityScheme::kConll : EntityScheme::kStrictIob2;
      const EntityScores scores = entity_scores(predicted, expected, scheme);
      expect_rates(scores.all, at(golden, {name, "micro avg"}));
      EXPECT_EQ(scores.kinds.size() + 1, at(golden, {name}).as_object().size());
      for (const auto& [kind, rates] : scores.kinds) expect_rates(rates, at(golden, {name, kind.c_str()}));
    }
  }
}

TEST(Entities, StrictOnesBeginWithB) {
  const std::vector<std::string> tags{"I-PER", "O", "B-LOC", "I-LOC", "I-PER", "B-LOC"};
  const std::vector<Entity> loose{{"PER", 0, 0}, {"LOC", 2, 3}, {"PER", 4, 4}, {"LOC", 5, 5}}, strict{{"LOC", 2, 3}, {"LOC", 5, 5}};
  EXPECT_EQ(entities_of(tags, EntityScheme::kConll), loose);
  EXPECT_EQ(entities_of(tags, EntityScheme::kStrictIob2), strict);
}

TEST(Answers, EqualSquadsScript) {
  for (const Json& golden : goldens("answers")) {
    const std::string predicted = at(golden, {"predicted"}).as_string();
    EXPECT_EQ(normalised_answer(predicted).value(), at(golden, {"normalised"}).as_string());
    const AnswerScore score = answer_score(predicted, words_of(at(golden, {"accepted"}))).value();
    EXPECT_EQ(score.exact_match, at(golden, {"exact_match"}).as_double()) << predicted;
    EXPECT_NEAR(score.f1, at(golden, {"f1"}).as_double(), 1e-12) << predicted;
  }
}

TEST(Answers, WhatIsNoUtf8IsRefused) {
  const std::vector<std::string> accepted{"x"};
  EXPECT_EQ(answer_score("\xff", accepted).status().code(), StatusCode::kCorrupt);
}

}  // namespace
}  // namespace atelier::metrics
