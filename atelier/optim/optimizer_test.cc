// Every optimizer beside other implementations of it (tests/golden/make_optimizer_goldens.py).
#include "atelier/optim/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>

#include "atelier/base/json.h"
#include "atelier/io/file.h"
#include "atelier/optim/average.h"
#include "atelier/optim/clip.h"
#include "atelier/parallel/parallel.h"

namespace atelier::optim {
namespace {

const Json& goldens() {
  static const Json json =
      Json::parse(io::read_file(ATELIER_SOURCE_DIR "/tests/golden/optimizers.json").value(), "optimizers.json").value();
  return json;
}

Shape shape_of(const Json& json) {
  std::vector<int64_t> dims;
  for (const Json& dim : json.as_array()) dims.push_back(dim.as_int());
  return Shape(dims);
}

void fill_gradient(Tensor& gradient, int64_t t) {
  for (int64_t i = 0; i < gradient.count(); ++i) {
    const auto place = static_cast<double>(i), step = static_cast<double>(t);
    gradient.f32()[i] = static_cast<float>(std::cos(1.3 * place + 0.9 * step) * (0.2 + 0.1 * step));
  }
}

Parameter parameter_of(const Shape& shape) {
  Parameter parameter{"w", Tensor::zeros(DType::kF32, shape), Tensor::zeros(DType::kF32, shape), true};
  for (int64_t i = 0; i < shape.count(); ++i) parameter.value.f32()[i] = static_cast<float>(std::sin(0.7 * static_cast<double>(i) + 0.1));
  return parameter;
}

OptimizerOptions options_of(const Json& json) {
  OptimizerOptions o;
  o.weight_decay = json.get_double("weight_decay", o.weight_decay).value();
  o.beta2 = json.get_double("beta2", o.beta2).value();
  o.epsilon = json.get_double("epsilon", o.epsilon).value();
  o.has_bias_correction = json.get_bool("has_bias_correction", true).value();
  if (json.get_string("epsilon_kind", "").value() == "tensorflow") o.epsilon_kind = EpsilonKind::kTensorFlow;
  o.momentum = json.get_double("momentum", 0).value();
  o.dampening = json.get_double("dampening", 0).value();
  o.is_nesterov = json.get_bool("is_nesterov", false).value();
  o.scales_by_parameter = json.get_bool("scales_by_parameter", false).value();
  return o;
}

TEST(Optimizer, steps_equal_other_implementations) {
  std::set<std::string> tested;
  for (const Json& golden : goldens().find("cases")->as_array()) {
    const std::string name = golden.get_string("name").value();
    const OptimizerDef* def = find_optimizer(name);
    ASSERT_NE(def, nullptr) << name;
    const Shape shape = shape_of(*golden.find("shape"));
    Optimizer optimizer(*def, options_of(*golden.find("options")), {parameter_of(shape)});
    const Parameter& w = optimizer.parameters()[0];
    for (int64_t t = 1; t <= goldens().get_int("steps").value(); ++t) {
      Tensor gradient = w.gradient;
      fill_gradient(gradient, t);
      optimizer.step(goldens().get_double("learning_rate").value(), 1);
    }
    const int64_t stride = golden.get_int("stride").value();
    int64_t i = 0;
    for (const Json& want : golden.find("want")->as_array()) {
      EXPECT_NEAR(w.value.f32()[i], want.as_double(), 2e-6) << golden.dump().substr(0, 120) << " at " << i;
      i += stride;
    }
    tested.insert(name);
  }
  for (const OptimizerDef* def : optimizers()) EXPECT_TRUE(tested.contains(def->name)) << def->name << " has no golden";
}

TEST(Optimizer, clipping_equals_torch) {
  std::vector<Parameter> parameters = {parameter_of({5, 8}), parameter_of({11})};
  for (Parameter& parameter : parameters) fill_gradient(parameter.gradient, 1);
  const Json& clip = *goldens().find("clip");
  const double norm = global_norm(parameters), factor = clip_factor(norm, clip.get_double("max_norm").value());
  EXPECT_NEAR(norm, clip.get_double("norm").value(), 1e-6);
  for (int64_t i = 0; i < 11; ++i) {
    EXPECT_NEAR(factor * parameters[1].gradient.f32()[i], clip.find("clipped")->as_array()[static_cast<size_t>(i)].as_double(), 1e-7);
  }
  EXPECT_EQ(clip_factor(0.3, 0.5), 1);
  EXPECT_EQ(clip_factor(3, 0), 1);
}

// Everything that a step computes, once more after its gradients were given in halves with a factor of 2, with other threads, and from the
// states of a run that stopped: the same bits.
TEST(Optimizer, steps_do_not_depend_on_threads_factor_or_interruption) {
  const int before = num_threads();
  const Shape shape{96, 512};
  for (const OptimizerDef* def : optimizers()) {
    OptimizerOptions options;
    options.momentum = 0.9;
    const auto run = [&](Optimizer& optimizer, int64_t first, int64_t last, float scale) {
      for (int64_t t = first; t <= last; ++t) {
        Tensor gradient = optimizer.parameters()[0].gradient;
        fill_gradient(gradient, t);
        for (int64_t i = 0; i < gradient.count(); ++i) gradient.f32()[i] *= scale;
        optimizer.step(0.01, 1 / scale);
      }
    };
    set_num_threads(1);
    Optimizer straight(*def, options, {parameter_of(shape)});
    run(straight, 1, 4, 1);
    set_num_threads(3);
    Optimizer first_half(*def, options, {parameter_of(shape)});
    run(first_half, 1, 2, 0.5f);
    Optimizer second_half(*def, options, {first_half.parameters()[0]});
    second_half.set_num_steps(2);
    const auto from = first_half.states(), to = second_half.states();
    for (size_t i = 0; i < from.size(); ++i) {
      Tensor target = to[i].tensor;
      std::memcpy(target.mutable_data(), from[i].tensor.data(), static_cast<size_t>(target.num_bytes()));
    }
    run(second_half, 3, 4, 0.5f);
    const float *a = straight.parameters()[0].value.f32(), *b = second_half.parameters()[0].value.f32();
    EXPECT_TRUE(std::equal(a, a + shape.count(), b)) << def->name;
  }
  set_num_threads(before);
}

TEST(Optimizer, what_does_not_decay_moves_by_its_gradient_alone) {
  for (const OptimizerDef* def : optimizers()) {
    Parameter fixed = parameter_of({4, 4}), decaying = parameter_of({4, 4});
    fixed.has_decay = false;
    OptimizerOptions options;
    options.weight_decay = 0.1;
    Optimizer optimizer(*def, options, {fixed, decaying});
    for (Parameter p : optimizer.parameters()) fill_gradient(p.gradient, 1);
    optimizer.step(0.01, 1);
    options.weight_decay = 0;
    Optimizer plain(*def, options, {parameter_of({4, 4})});
    for (Parameter p : plain.parameters()) fill_gradient(p.gradient, 1);
    plain.step(0.01, 1);
    const float* want = plain.parameters()[0].value.f32();
    EXPECT_TRUE(std::equal(want, want + 16, fixed.value.f32())) << def->name;
    EXPECT_FALSE(std::equal(want, want + 16, decaying.value.f32())) << def->name;
  }
}

TEST(WeightAverage, follows_weights_and_exchanges_with_them) {
  std::vector<Parameter> parameters = {parameter_of({3})};
  float* w = parameters[0].value.f32();
  w[0] = 1;
  WeightAverage average(parameters);
  w[0] = 3;
  average.update(parameters, 0.25);
  EXPECT_FLOAT_EQ(average.tensors()[0].f32()[0], 1.5f);
  average.swap_with(parameters);
  EXPECT_FLOAT_EQ(w[0], 1.5f);
  average.swap_with(parameters);
  EXPECT_FLOAT_EQ(w[0], 3);
  // The mean of snapshots 3, 5 and 10.
  WeightAverage mean(parameters);
  w[0] = 5;
  mean.update(parameters, 1.0 / 2);
  w[0] = 10;
  mean.update(parameters, 1.0 / 3);
  EXPECT_FLOAT_EQ(mean.tensors()[0].f32()[0], 6);
}

}  // namespace
}  // namespace atelier::optim
