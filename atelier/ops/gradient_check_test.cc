// Every op that is recorded against finite differences: a table of cases, each a forward pass whose outputs are weighed at random.
//
// For each input some coordinates are moved up and down; the change of the objective, over the distance, has to be the tape's gradient
// within kTolerance of the norm of what was looked at. Random weights, because a plain sum is constant for a softmax; the last case has a
// wrong gradient and must fail.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <random>
#include <vector>

#include "atelier/ops/attention.h"
#include "atelier/ops/columns.h"
#include "atelier/ops/cross_entropy.h"
#include "atelier/ops/dropout.h"
#include "atelier/ops/elementwise.h"
#include "atelier/ops/embedding.h"
#include "atelier/ops/linear.h"
#include "atelier/ops/norm.h"
#include "atelier/ops/relative_bias.h"
#include "atelier/ops/replace_rows.h"
#include "atelier/ops/row_gain.h"
#include "atelier/ops/task_losses.h"

namespace atelier::ops {
namespace {

constexpr double kTolerance = 3e-3;
constexpr float kStep = 1e-2f;
constexpr int kCoordinates = 60;  // of each input

using Inputs = std::vector<Tensor>;

Tensor random_tensor(Shape shape, uint32_t seed, float deviation = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, deviation);
  Tensor out = Tensor::zeros(DType::kF32, shape);
  for (int64_t i = 0; i < out.count(); ++i) out.f32()[i] = normal(generator);
  return out;
}

// sum_i w_i y_i with fixed random w, which is also contributed as dy.
double weigh(Context& context, const Tensor& y) {
  const Tensor w = random_tensor(y.shape(), 99);
  double sum = 0;
  for (int64_t i = 0; i < y.count(); ++i) sum += static_cast<double>(w.f32()[i]) * static_cast<double>(y.f32()[i]);
  Contribution dy(*context.tape, y);
  std::memcpy(dy.data(), w.f32(), static_cast<size_t>(y.num_bytes()));
  return sum;
}

struct Case {
  const char* name;
  std::function<Inputs()> inputs;
  std::function<double(Context&, Inputs&)> objective;
};
void PrintTo(const Case& tested, std::ostream* out) { *out << tested.name; }

// --- The table

const std::vector<kernels::DocumentRows> kDocuments = {{0, 70}, {70, 9}};  // more than a page of keys, and a short one
// Bidirectional, and with a prefix.
const std::vector<kernels::DocumentRows> kPrefixed = {{0, 70, 70}, {70, 9, 4}};
const std::vector<float> kSlopes = {0.5f, 0.25f, 0.125f, 0.0625f};
const std::vector<int32_t> kIds = {3, 0, 3, 6, 2}, kLabels = {1, kIgnoredLabel, 6, 0, 1}, kPositions = {0, 1, 2, 0, 1};
const std::vector<uint64_t> kSamples = {4, 4, 4, 9, 9};
const std::vector<int32_t> kReplaced = {0, 1, -1, 0, -1};

Tensor row_squares(const Tensor& weight) {
  Tensor squares = Tensor::zeros(DType::kF32, {weight.dim(0)});
  for (int64_t i = 0; i < weight.count(); ++i) squares.f32()[i / weight.dim(1)] += weight.f32()[i] * weight.f32()[i];
  return squares;
}

Case unary(const char* name, std::function<Tensor(Context&, const Tensor&)> op) {
  return {name, [] { return Inputs{random_tensor({5, 19}, 1)}; }, [op](Context& c, Inputs& in) { return weigh(c, op(c, in[0])); }};
}

Case activation(const char* name, kernels::Activation f) {
  return unary(name, [f](Context& c, const Tensor& x) { return activate(c, f, x); });
}

Case gated(const char* name, kernels::Activation f) {
  return {name,
          [] {
            return Inputs{random_tensor({5, 19}, 1), random_tensor({5, 19}, 2)};
          },
          [f](Context& c, Inputs& in) { return weigh(c, gated_activate(c, f, in[0], in[1])); }};
}

Case attention_case(const char* name, std::function<void(kernels::AttentionShape&)> change, int64_t D = 8,
                    const std::vector<kernels::DocumentRows>& documents = kDocuments) {
  return {name,
          [D] {
            return Inputs{random_tensor({79, 4 * D}, 1), random_tensor({79, 2 * D}, 2), random_tensor({79, 2 * D}, 3)};
          },
          [change, D, &documents](Context& c, Inputs& in) {
            kernels::AttentionShape shape{.num_heads = 4, .num_kv_heads = 2, .head_dim = D, .scale = 0.4f};
            change(shape);
            return weigh(c, document_attention(c, shape, documents, in[0], in[1], in[2]));
          }};
}

// Of three documents over the keys of three others, and with a bias by distance made of a table of five buckets.
const std::vector<kernels::DocumentRows> kCrossed = {{0, 3, 0, 70, 9}, {3, 75, 0, 0, 70}, {78, 1, 0, 79, 2}};
const std::vector<int32_t> kBuckets = {0, 0, 1, 1, 2, 3, 4, 4, 4};

Case cross_attention_case(const char* name) {
  return {name,
          [] {
            return Inputs{random_tensor({79, 32}, 1), random_tensor({81, 16}, 2), random_tensor({81, 16}, 3)};
          },
          [](Context& c, Inputs& in) {
            const kernels::AttentionShape shape{.num_heads = 4, .num_kv_heads = 2, .head_dim = 8, .scale = 0.4f};
            return weigh(c, document_attention(c, shape, kCrossed, in[0], in[1], in[2]));
          }};
}

Case biased_attention_case(const char* name, const std::vector<kernels::DocumentRows>& documents, float soft_cap) {
  return {name,
          [] {
            return Inputs{random_tensor({79, 32}, 1), random_tensor({79, 16}, 2), random_tensor({79, 16}, 3), random_tensor({5, 4}, 4)};
          },
          [&documents, soft_cap](Context& c, Inputs& in) {
            const kernels::AttentionShape shape{.num_heads = 4, .num_kv_heads = 2, .head_dim = 8, .scale = 0.4f, .soft_cap = soft_cap};
            return weigh(c, document_attention(c, shape, documents, in[0], in[1], in[2], relative_bias(c, in[3], kBuckets)));
          }};
}

Case rotary_case(const char* name, kernels::RotaryLayout layout) {
  return {name,
          [] {
            return Inputs{random_tensor({5, 24}, 1)};
          },
          [layout](Context& c, Inputs& in) {
            static const Tensor cos = random_tensor({3, 4}, 5), sin = random_tensor({3, 4}, 6);  // heads of 12, 8 of them turned
            Tensor x = in[0];
            rotary_inplace(c, x, 2, kPositions, cos, sin, layout);
            return weigh(c, x);
          }};
}

Case cross_entropy_case(const char* name, float soft_cap) {
  return {name,
          [] {
            return Inputs{random_tensor({5, 12}, 1), random_tensor({7, 12}, 2, 0.5f), random_tensor({7}, 3)};
          },
          [soft_cap](Context& c, Inputs& in) { return cross_entropy(c, in[0], in[1], kLabels, 0.3, soft_cap, in[2]); }};
}

const std::vector<float> kTargets = {0, 1, 1, 0, 0.25f, 1, 0, 0, 1, 0.5f};
const std::vector<int64_t> kGroups = {2, 3};
const std::vector<int32_t> kChosen = {1, 0, kIgnoredLabel, 2};  // of two columns

Case task_case(const char* name, std::function<double(Context&, const Tensor&)> loss) {
  return {name, [] { return Inputs{random_tensor({5, 2}, 1)}; }, [loss](Context& c, Inputs& in) { return loss(c, in[0]); }};
}

DropoutRows dropout_rows() { return {.p = 0.3f, .seed = 7, .step = 2, .site = 5, .samples = kSamples, .positions = kPositions}; }

const std::vector<Case>& cases() {
  using kernels::Activation;
  static const std::vector<Case> table = {
      {"linear",
       [] {
         return Inputs{random_tensor({5, 37}, 1), random_tensor({70, 37}, 2), random_tensor({70}, 3)};
       },
       [](Context& c, Inputs& in) { return weigh(c, linear(c, in[0], in[1], in[2])); }},
      {"linear_group_of_two_that_share_x",
       [] {
         return Inputs{random_tensor({5, 37}, 1), random_tensor({6, 37}, 2), random_tensor({9, 37}, 3)};
       },
       [](Context& c, Inputs& in) {
         Tensor a, b;
         const LinearArgs group[] = {{&in[1], nullptr, &a}, {&in[2], nullptr, &b}};
         linear_group(c, in[0], group);
         return weigh(c, a) + weigh(c, b);
       }},
      {"linear_with_a_low_rank_addition_and_dropout",
       [] {
         return Inputs{random_tensor({5, 64}, 1), random_tensor({21, 64}, 2), random_tensor({3, 64}, 3, 0.3f), random_tensor({21, 3}, 4)};
       },
       [](Context& c, Inputs& in) {
         Tensor y;
         const LowRank low_rank{in[2], in[3], 1.5f};
         const LinearArgs args{&in[1], nullptr, &y, &low_rank};
         linear_group(c, in[0], std::span(&args, 1), dropout_rows());
         return weigh(c, y);
       }},
      task_case("squared_error", [](Context& c, const Tensor& x) { return squared_error(c, x, kTargets, 0.3); }),
      task_case("binary_cross_entropy", [](Context& c, const Tensor& x) { return binary_cross_entropy(c, x, kTargets, 0.3); }),
      task_case("group_cross_entropy", [](Context& c, const Tensor& x) { return group_cross_entropy(c, x, kGroups, kChosen, 0.3); }),
      {"rms_norm",
       [] {
         return Inputs{random_tensor({5, 19}, 1), random_tensor({19}, 2)};
       },
       [](Context& c, Inputs& in) { return weigh(c, rms_norm(c, in[0], in[1], 1e-5f)); }},
      {"rms_norm_of_parts_of_a_row",
       [] {
         return Inputs{random_tensor({5, 24}, 1), random_tensor({12}, 2)};
       },
       [](Context& c, Inputs& in) {
         Tensor x = in[0];
         rms_norm_inplace(c, x, in[1], 1e-5f);
         return weigh(c, x);
       }},
      {"layer_norm",
       [] {
         return Inputs{random_tensor({5, 19}, 1), random_tensor({19}, 2), random_tensor({19}, 3)};
       },
       [](Context& c, Inputs& in) { return weigh(c, layer_norm(c, in[0], in[1], in[2], 1e-5f)); }},
      rotary_case("rotary_of_halves", kernels::RotaryLayout::kHalves),
      rotary_case("rotary_of_pairs", kernels::RotaryLayout::kInterleaved),
      attention_case("attention", [](kernels::AttentionShape&) {}),
      attention_case(
          "attention_of_wide_heads", [](kernels::AttentionShape&) {}, 40),
      cross_attention_case("attention_over_other_sequences"),
      biased_attention_case("attention_with_relative_biases", kDocuments, 0),
      biased_attention_case("attention_with_relative_biases_both_ways_behind_a_soft_cap", kPrefixed, 1.5f),
      attention_case("attention_in_a_window", [](kernels::AttentionShape& s) { s.window = 7; }),
      attention_case("attention_with_a_soft_cap", [](kernels::AttentionShape& s) { s.soft_cap = 1.5f; }),
      attention_case(
          "attention_in_both_directions", [](kernels::AttentionShape&) {}, 8, kPrefixed),
      attention_case("attention_with_linear_biases", [](kernels::AttentionShape& s) { s.alibi_slopes = kSlopes.data(); }),
      activation("gelu", Activation::kGelu),
      activation("gelu_tanh", Activation::kGeluTanh),
      activation("silu", Activation::kSilu),
      activation("tanh", Activation::kTanh),
      gated("gated_gelu_tanh", Activation::kGeluTanh),
      gated("gated_silu", Activation::kSilu),
      {"relu_away_from_its_corner",
       [] {
         Tensor x = random_tensor({5, 19}, 1);
         for (int64_t i = 0; i < x.count(); ++i) x.f32()[i] += x.f32()[i] > 0 ? 0.1f : -0.1f;
         return Inputs{x};
       },
       [](Context& c, Inputs& in) { return weigh(c, activate(c, Activation::kRelu, in[0])); }},
      {"add",
       [] {
         return Inputs{random_tensor({5, 19}, 1), random_tensor({5, 19}, 2)};
       },
       [](Context& c, Inputs& in) { return weigh(c, add(c, add(c, in[0], in[1]), in[0])); }},
      {"scale_columns",
       [] {
         return Inputs{random_tensor({5, 19}, 1), random_tensor({19}, 2)};
       },
       [](Context& c, Inputs& in) { return weigh(c, scale_columns(c, in[0], in[1])); }},
      {"add_row",
       [] {
         return Inputs{random_tensor({5, 19}, 1), random_tensor({19}, 2)};
       },
       [](Context& c, Inputs& in) { return weigh(c, add_row(c, in[0], in[1])); }},
      {"replace_rows",
       [] {
         return Inputs{random_tensor({5, 19}, 1), random_tensor({2, 19}, 2)};
       },
       [](Context& c, Inputs& in) { return weigh(c, replace_rows(c, in[0], in[1], kReplaced)); }},
      {"row_gain",
       [] {
         return Inputs{random_tensor({1, 7}, 1)};
       },
       [](Context& c, Inputs& in) {
         const LowRank low_rank{random_tensor({2, 11}, 3), random_tensor({7, 2}, 4), 0.5f};
         const Tensor weight = random_tensor({7, 11}, 5), squares = row_squares(weight);
         return weigh(c, row_gain(c, weight, squares, low_rank, in[0].reshaped({7})));
       }},
      unary("scale",
            [](Context& c, const Tensor& x) {
              Tensor y = x;
              scale_inplace(c, y, 0.7f);
              return y;
            }),
      unary("soft_cap",
            [](Context& c, const Tensor& x) {
              Tensor y = x;
              soft_cap_inplace(c, y, 1.3f);
              return y;
            }),
      unary("dropout", [](Context& c, const Tensor& x) { return dropout(c, x, dropout_rows()); }),
      {"embedding",
       [] {
         return Inputs{random_tensor({7, 12}, 1)};
       },
       [](Context& c, Inputs& in) { return weigh(c, embedding(c, in[0], kIds)); }},
      cross_entropy_case("cross_entropy", 0),
      cross_entropy_case("cross_entropy_of_capped_logits", 2),
  };
  return table;
}

// --- The check

double evaluate(const Case& tested, Inputs& inputs, Arena& arena, Tape& tape) {
  arena.reset();
  Context context{arena, Precision::kF32, nullptr, &tape};
  return tested.objective(context, inputs);
}

// The largest distance of an input's gradient from finite differences, relative to the norm.
double worst_distance(const Case& tested) {
  Inputs inputs = tested.inputs();
  Arena arena;
  Tape tape;
  std::vector<Tensor> gradients;
  for (const Tensor& input : inputs) {
    gradients.push_back(Tensor::zeros(DType::kF32, input.shape()));
    tape.watch(input, gradients.back());
  }
  evaluate(tested, inputs, arena, tape);
  tape.backward();
  const std::vector<Tensor> analytic = [&] {
    std::vector<Tensor> copies;
    for (const Tensor& gradient : gradients) {
      copies.push_back(Tensor::zeros(DType::kF32, gradient.shape()));
      std::memcpy(copies.back().f32(), gradient.f32(), static_cast<size_t>(gradient.num_bytes()));
    }
    return copies;
  }();
  std::mt19937 generator(3);
  double worst = 0;
  for (size_t n = 0; n < inputs.size(); ++n) {
    double squares = 0, errors = 0;
    for (int64_t i = 0; i < std::min<int64_t>(kCoordinates, inputs[n].count()); ++i) {
      float& x = inputs[n].f32()[inputs[n].count() <= kCoordinates ? i : generator() % inputs[n].count()];
      const int64_t at = &x - inputs[n].f32();
      const float before = x;
      const auto at_value = [&](float value) {
        x = value;
        const double objective = evaluate(tested, inputs, arena, tape);
        tape.clear();
        return objective;
      };
      const double numeric = (at_value(before + kStep) - at_value(before - kStep)) / (2 * static_cast<double>(kStep));
      x = before;
      squares += numeric * numeric;
      errors += std::pow(numeric - static_cast<double>(analytic[n].f32()[at]), 2);
    }
    EXPECT_GT(squares, 0) << "input " << n << " does not matter";
    worst = std::max(worst, std::sqrt(errors / squares));
  }
  return worst;
}

class GradientCheck : public testing::TestWithParam<Case> {};

TEST_P(GradientCheck, agrees_with_finite_differences) { EXPECT_LT(worst_distance(GetParam()), kTolerance); }

INSTANTIATE_TEST_SUITE_P(Ops, GradientCheck, testing::ValuesIn(cases()), [](const auto& tested) { return std::string(tested.param.name); });

TEST(GradientCheckItself, sees_a_gradient_that_is_one_percent_wrong) {
  const Case wrong = unary("wrong", [](Context& c, const Tensor& x) {
    Tensor y = c.arena.empty_f32(x.shape());
    kernels::scale(x.f32(), 2, y.f32(), x.count());
    c.tape->record(y, [x, y](Tape& tape) {
      Contribution dx(tape, x);
      kernels::scale(tape.gradient(y), 2.02f, dx.data(), x.count());
    });
    return y;
  });
  EXPECT_GT(worst_distance(wrong), kTolerance);
}

// A frozen weight of another type: dx is that of its float values.
TEST(GradientsThroughFrozenWeights, use_their_float_values) {
  const Tensor weight = random_tensor({20, 32}, 1), x = random_tensor({3, 32}, 2);
  Tensor rounded = Tensor::zeros(DType::kBF16, weight.shape());
  for (int64_t i = 0; i < weight.count(); ++i)
    kernels::store(DType::kBF16, weight.f32() + i, static_cast<uint16_t*>(rounded.mutable_data()) + i, 1);
  Arena arena;
  Tape tape;
  Tensor dx = Tensor::zeros(DType::kF32, x.shape());
  tape.watch(x, dx);
  Context context{arena, Precision::kF32, nullptr, &tape};
  weigh(context, linear(context, x, rounded));
  tape.backward();
  const Tensor dy = random_tensor({3, 20}, 99);
  for (int64_t t = 0; t < 3; ++t) {
    for (int64_t k = 0; k < 32; ++k) {
      double wanted = 0;
      for (int64_t n = 0; n < 20; ++n) {
        float w;
        kernels::load(DType::kBF16, static_cast<const uint16_t*>(rounded.data()) + n * 32 + k, &w, 1);
        wanted += static_cast<double>(dy.f32()[t * 20 + n]) * static_cast<double>(w);
      }
      EXPECT_NEAR(dx.f32()[t * 32 + k], wanted, 1e-5);
    }
  }
}

TEST(Dropout, has_the_same_mask_wherever_a_row_stands) {
  Arena arena;
  Context context{arena};
  const Tensor x = random_tensor({5, 19}, 1);
  const Tensor whole = dropout(context, x, dropout_rows());
  const std::vector<uint64_t> sample = {kSamples[3]};
  const std::vector<int32_t> position = {kPositions[3]};
  DropoutRows alone = dropout_rows();
  alone.samples = sample;
  alone.positions = position;
  const Tensor row = dropout(context, x.rows(3, 4), alone);
  EXPECT_EQ(std::memcmp(row.f32(), whole.f32() + 3 * 19, 19 * sizeof(float)), 0);
}

TEST(Dropout, keeps_the_mean) {
  Arena arena;
  Context context{arena};
  Tensor ones = Tensor::zeros(DType::kF32, {5, 4000});
  for (int64_t i = 0; i < ones.count(); ++i) ones.f32()[i] = 1;
  const Tensor y = dropout(context, ones, dropout_rows());
  double sum = 0;
  for (int64_t i = 0; i < y.count(); ++i) sum += static_cast<double>(y.f32()[i]);
  EXPECT_NEAR(sum / 20000, 1, 0.02);
}

}  // namespace
}  // namespace atelier::ops
