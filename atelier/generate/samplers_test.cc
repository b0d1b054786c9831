// Every sampler beside other implementations of it (tests/golden/make_sampler_goldens.py), and what the chain promises.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "atelier/base/json.h"
#include "atelier/base/rng.h"
#include "atelier/generate/sampler.h"
#include "atelier/generate/sampler_chain.h"

namespace atelier::generate {
namespace {

const Json& goldens() {
  static const Json json = [] {
    std::ifstream file(ATELIER_SOURCE_DIR "/tests/golden/samplers.json");
    std::stringstream text;
    text << file.rdbuf();
    return Json::parse(text.str(), "samplers.json").value();
  }();
  return json;
}

std::vector<int32_t> ints(const Json& array) {
  std::vector<int32_t> out;
  for (const Json& value : array.as_array()) out.push_back(static_cast<int32_t>(value.as_int()));
  return out;
}

std::vector<float> floats(const Json& array) {
  std::vector<float> out;
  for (const Json& value : array.as_array()) out.push_back(value.is_null() ? -INFINITY : static_cast<float>(value.as_double()));
  return out;
}

SamplingOptions with(const std::string& option, double value) {
  SamplingOptions options;
  if (option == "top_k") options.top_k = static_cast<int64_t>(value);
  if (option == "top_p") options.top_p = value;
  if (option == "typical_p") options.typical_p = value;
  if (option == "min_p") options.min_p = value;
  if (option == "temperature") options.temperature = value;
  if (option == "repetition_penalty") options.repetition_penalty = value;
  return options;
}

// Logits [V] after the active samplers of `options`; -infinity where a token was removed.
std::vector<float> sampled_logits(const SamplingOptions& options, const std::vector<float>& logits, const SamplerContext& context) {
  Candidates candidates;
  candidates.assign(logits);
  for (const SamplerDef* sampler : active_samplers(options)) sampler->apply(options, context, candidates);
  std::vector<float> out(logits.size(), -INFINITY);
  for (const Candidate& candidate : candidates.items()) out[static_cast<size_t>(candidate.id)] = candidate.logit;
  return out;
}

TEST(Samplers, do_to_logits_what_transformers_does) {
  for (const Json& golden : goldens().find("transformers")->as_array()) {
    const std::string option = golden.find("option")->as_string();
    const double value = golden.find("value")->as_double();
    const std::vector<int32_t> tokens = ints(*golden.find("tokens"));
    const std::vector<float> logits = floats(*golden.find("logits")), want = floats(*golden.find("want"));
    const std::vector<float> got = sampled_logits(with(option, value), logits, {tokens, 0});
    for (size_t i = 0; i < want.size(); ++i) {
      if (std::isinf(want[i])) {
        EXPECT_EQ(got[i], want[i]) << option << " " << value << ": token " << i << " of " << want.size() << " should be removed";
      } else {
        EXPECT_NEAR(got[i], want[i], 1e-6 * std::abs(want[i])) << option << " " << value << " token " << i << " of " << want.size();
      }
    }
  }
}

TEST(Samplers, dry_weakens_the_tokens_that_llama_cpp_weakens) {
  for (const Json& golden : goldens().find("dry")->as_array()) {
    SamplingOptions options;
    options.dry_multiplier = golden.find("multiplier")->as_double();
    options.dry_base = golden.find("base")->as_double();
    options.dry_allowed_length = golden.find("allowed")->as_int();
    options.dry_window = golden.find("window")->as_int();
    const std::vector<int32_t> tokens = ints(*golden.find("tokens"));
    const std::vector<float> got = sampled_logits(options, std::vector<float>(1200, 0.0f), {tokens, 0});
    std::map<size_t, double> want;
    for (const auto& [id, logit] : golden.find("want")->as_object()) want[std::stoul(id)] = logit.as_double();
    for (size_t id = 0; id < got.size(); ++id) {
      const double expected = want.count(id) ? want[id] : 0;
      EXPECT_NEAR(got[id], expected, 1e-4 * std::max(1.0, std::abs(expected))) << golden.dump();
    }
  }
}

TEST(Samplers, dry_never_looks_across_a_breaker) {
  std::vector<bool> breakers(10, false);
  breakers[9] = true;
  SamplingOptions options;
  options.dry_multiplier = 1;
  options.dry_allowed_length = 2;
  const std::vector<float> logits(10, 0.0f);
  const std::vector<int32_t> tokens = {1, 2, 3, 4, 1, 2, 9, 3, 1, 9, 2};
  EXPECT_LT(sampled_logits(options, logits, {std::vector<int32_t>{1, 2, 3, 1, 2}, 0})[3], 0) << "1 2 would continue with 3";
  options.dry_breakers = std::make_shared<const std::vector<bool>>(breakers);
  EXPECT_EQ(sampled_logits(options, logits, {tokens, 0}), logits);
}

TEST(Samplers, dry_takes_linear_time_on_one_repeated_token) {
  SamplingOptions options;
  options.dry_multiplier = 1;
  const std::vector<int32_t> tokens(200000, 1);
  const std::vector<float> got = sampled_logits(options, {0, 0}, {tokens, 0});
  EXPECT_TRUE(std::isfinite(got[1])) << "the exponent is bounded";
  EXPECT_LT(got[1], -1e30);
}

TEST(Samplers, presence_and_frequency_count_the_answer_and_not_the_prompt) {
  SamplingOptions options;
  options.presence_penalty = 0.5;
  options.frequency_penalty = 0.25;
  const std::vector<int32_t> tokens = {0, 0, 1, 2, 1};
  EXPECT_EQ(sampled_logits(options, {1, 1, 1, 1}, {tokens, 2}), (std::vector<float>{1, 0, 0.25, 1}));
  options.penalty_window = 1;
  EXPECT_EQ(sampled_logits(options, {1, 1, 1, 1}, {tokens, 2}), (std::vector<float>{1, 0.25, 1, 1}));
}

TEST(Samplers, logit_bias_ignores_ids_outside_the_vocabulary) {
  SamplingOptions options;
  options.logit_bias = {{1, -INFINITY}, {2, 3.0f}, {-1, 5.0f}, {99, 5.0f}};
  EXPECT_EQ(sampled_logits(options, {1, 1, 1}, {{}, 0}), (std::vector<float>{1, -INFINITY, 4}));
}

TEST(Samplers, top_p_finds_the_nucleus_of_a_flat_vocabulary_of_a_quarter_million) {
  std::vector<float> logits(262144);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = -1e-6f * static_cast<float>((i * 7919) % logits.size());
  SamplingOptions options;
  options.top_p = 0.5;
  size_t kept = 0;
  for (const float logit : sampled_logits(options, logits, {{}, 0})) kept += std::isfinite(logit);
  EXPECT_NEAR(static_cast<double>(kept), 122507, 20);  // 1 - e^(-a x) = 0.5 (1 - e^(-a)) with a = 0.262144, x the kept share
}

TEST(Samplers, every_one_has_its_own_place_and_is_off_by_default) {
  std::set<int> orders;
  for (const SamplerDef* sampler : samplers()) {
    EXPECT_TRUE(orders.insert(sampler->order).second) << sampler->name;
    EXPECT_FALSE(sampler->is_active(SamplingOptions{})) << sampler->name;
  }
  EXPECT_EQ(orders.size(), 10u);
}

TEST(SamplerChain, runs_the_samplers_in_the_documented_order) {
  SamplingOptions options;
  options.logit_bias = {{0, 1}};
  options.repetition_penalty = options.dry_multiplier = 2;
  options.presence_penalty = options.frequency_penalty = options.temperature = 0.5;
  options.top_k = 3;
  options.typical_p = options.top_p = options.min_p = 0.5;
  std::string names;
  for (const SamplerDef* sampler : active_samplers(options)) names += std::string(sampler->name) + " ";
  EXPECT_EQ(names, "logit_bias repetition_penalty presence_penalty frequency_penalty dry top_k typical_p top_p min_p temperature ");
}

TEST(SamplerChain, temperature_zero_takes_the_likeliest_token_after_the_edits) {
  SamplingOptions options;
  options.temperature = 0;
  options.typical_p = 0.01;  // narrowing samplers do nothing
  SamplerChain chain(options);
  EXPECT_EQ(chain.sample(std::vector<float>{1, 5, 5, 2}, {{}, 0}, 0), 1) << "of equal tokens the first";
  options.logit_bias = {{1, -2.0f}, {3, 9.0f}};
  EXPECT_EQ(SamplerChain(options).sample(std::vector<float>{1, 5, 5, 2}, {{}, 0}, 0), 3);
}

TEST(SamplerChain, the_short_way_to_the_likeliest_token_is_the_same) {
  SamplerChain greedy({.temperature = 0});
  ASSERT_TRUE(greedy.is_greedy());
  const int32_t before[] = {0};
  for (size_t size = 1; size < 60; ++size) {
    std::vector<float> logits;
    for (size_t i = 0; i < size; ++i) logits.push_back(i % 5 == 1 ? -INFINITY : static_cast<float>(i * 7 % 11));  // with ties
    EXPECT_EQ(likeliest_token(logits), greedy.sample(logits, {before, 1}, 0)) << size;
  }
}

TEST(SamplerChain, a_mask_is_as_if_the_others_had_no_probability) {
  constexpr size_t kSize = 300;
  std::vector<SamplingOptions> cases(7);
  cases[0].temperature = 0;
  cases[1].temperature = 0;
  cases[1].logit_bias = {{3, 2.0f}};
  cases[2].top_k = 5;
  cases[3].top_p = 0.6;
  cases[4].min_p = 0.05;
  cases[5].typical_p = 0.7;
  cases[6].presence_penalty = 0.5;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    std::vector<float> logits, masked;
    std::vector<uint64_t> allowed((kSize + 63) / 64);
    for (size_t id = 0; id < kSize; ++id) {
      logits.push_back(static_cast<float>(random_bits(1, seed, id) % 40) / 4);
      const bool is_allowed = random_bits(2, seed, id) % (seed + 1) == 0;  // from all to few
      if (is_allowed) allowed[id / 64] |= uint64_t{1} << (id % 64);
      masked.push_back(is_allowed ? logits[id] : -INFINITY);
    }
    const int32_t before[] = {7, 8};
    for (SamplingOptions options : cases) {
      options.seed = seed;
      SamplerChain with(options), without(options);
      const int32_t id = with.sample(logits, {before, 1}, 3, allowed);
      EXPECT_EQ(id, without.sample(masked, {before, 1}, 3));
      if (with.is_greedy()) {
        EXPECT_EQ(likeliest_token(logits, allowed), id);
      }
    }
  }
  EXPECT_EQ(likeliest_token(std::vector<float>{1, 2}, std::vector<uint64_t>{0}), -1);
}

TEST(SamplerChain, draws_tokens_as_often_as_their_probability_says) {
  SamplingOptions options;
  options.seed = 3;
  SamplerChain chain(options);
  const std::vector<float> logits = {std::log(0.1f), std::log(0.2f), std::log(0.7f), -INFINITY};
  std::vector<int> counts(4, 0);
  constexpr int kDraws = 20000;
  const std::vector<int32_t> tokens(1, 0);
  for (int i = 0; i < kDraws; ++i) ++counts[static_cast<size_t>(chain.sample(logits, {tokens, 1}, static_cast<uint64_t>(i)))];
  EXPECT_NEAR(counts[0], 0.1 * kDraws, 150);
  EXPECT_NEAR(counts[1], 0.2 * kDraws, 200);
  EXPECT_NEAR(counts[2], 0.7 * kDraws, 250);
  EXPECT_EQ(counts[3], 0);
}

TEST(SamplerChain, the_draw_depends_on_seed_sequence_and_position_only) {
  SamplingOptions options;
  options.seed = 11;
  const std::vector<float> logits(1000, 0.0f);
  SamplerChain fresh(options), used(options);
  const std::vector<int32_t> five(5, 1), six(6, 1);
  for (int i = 0; i < 3; ++i) used.sample(logits, {six, 0}, 9);
  EXPECT_EQ(fresh.sample(logits, {five, 0}, 2), used.sample(logits, {five, 0}, 2));
  EXPECT_NE(fresh.sample(logits, {five, 0}, 2), fresh.sample(logits, {six, 0}, 2));
}

TEST(SamplerChain, options_out_of_range_are_refused_by_name) {
  SamplingOptions options;
  EXPECT_TRUE(check_sampling_options(options).ok());
  options.top_p = NAN;
  EXPECT_NE(check_sampling_options(options).message().find("top_p"), std::string::npos);
  options.top_p = 1;
  options.temperature = -1;
  EXPECT_NE(check_sampling_options(options).message().find("temperature"), std::string::npos);
}

}  // namespace
}  // namespace atelier::generate
