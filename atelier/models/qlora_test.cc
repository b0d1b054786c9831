// Low-rank additions on frozen weights of every block type: gradients are those over the same numbers in float32, and steps learn. Types
// that no file has are packed when the model is opened.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "atelier/io/file.h"
#include "atelier/models/trainable.h"
#include "atelier/quant/quant.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_llama.h"

namespace atelier::models {
namespace {

const std::vector<int32_t> kIds = {1, 70, 3, 9, 41, 2, 8, 33, 5, 60, 61, 62},
                           kLabels = {70, 3, 9, 41, 2, 8, 33, 5, kIgnoredLabel, 61, 62, 7};
const std::vector<int64_t> kLengths = {9, 3};
const TrainBatch kBatch{kIds, kLabels, kLengths};

class Qlora : public ::testing::TestWithParam<const quant::BlockFormat*> {
 protected:
  // B is random too, so that A has gradients.
  std::unique_ptr<TrainableModel> open(Precision precision, bool is_widened) {
    const DType type = GetParam()->dtype;
    const bool is_of_files = static_cast<uint8_t>(type) < kFirstOwnType;
    const std::string path = folder_ / (is_widened || !is_of_files ? "wide.gguf" : "narrow.gguf");
    if (!io::is_file(path)) atelier::testing::write_tiny_llama(path, type, 1, is_widened || !is_of_files);
    TrainOptions options;
    if (!is_widened && !is_of_files) options.frozen_type = type;
    options.precision = precision;
    options.lora.rank = 4;
    auto model = TrainableModel::from_checkpoint(path, options).value();
    float next = 0;
    for (TrainParameter& parameter : model->parameters()) {
      for (int64_t i = 0; i < parameter.value.count(); ++i) parameter.value.f32()[i] = 0.03f * std::sin(next += 0.37f);
    }
    return model;
  }

  const atelier::testing::TemporaryFolder folder_;
};

double squares(const Tensor& x) {
  double sum = 0;
  for (int64_t i = 0; i < x.count(); ++i) sum += static_cast<double>(x.f32()[i]) * x.f32()[i];
  return sum;
}

// |gradients - reference| / |reference|, over all parameters together.
double gap_between(TrainableModel& model, TrainableModel& reference) {
  double difference = 0, whole = 0;
  for (size_t p = 0; p < model.parameters().size(); ++p) {
    const Tensor &g = model.parameters()[p].gradient, &r = reference.parameters()[p].gradient;
    for (int64_t i = 0; i < g.count(); ++i) difference += std::pow(static_cast<double>(g.f32()[i]) - r.f32()[i], 2);
    whole += squares(r);
  }
  return std::sqrt(difference / whole);
}

TEST_P(Qlora, gradients_are_those_over_the_same_numbers_in_float32) {
  const auto wide = open(Precision::kF32, true), narrow = open(Precision::kF32, false), fast = open(Precision::kBF16, false);
  const double expected = wide->loss_and_backward(kBatch, 0.1).value();
  EXPECT_NEAR(narrow->loss_and_backward(kBatch, 0.1).value(), expected, 1e-5);
  EXPECT_LE(gap_between(*narrow, *wide), 1e-4);
  EXPECT_NEAR(fast->loss_and_backward(kBatch, 0.1).value(), expected, 0.1);  // activations in int8, products back in bfloat16
  EXPECT_LE(gap_between(*fast, *wide), 0.25);
}

TEST_P(Qlora, learns_and_leaves_the_weights_alone) {
  const auto model = open(Precision::kBF16, false);
  const Tensor frozen = model->transformer().parameters().layers[1].mlp.down.weight;
  EXPECT_EQ(frozen.dtype(), GetParam()->dtype);
  EXPECT_EQ(frozen.num_bytes(), frozen.dim(0) * row_bytes(frozen.dtype(), frozen.dim(1))) << "a second copy, or another type";
  const std::vector<uint8_t> before(static_cast<const uint8_t*>(frozen.data()),
                                    static_cast<const uint8_t*>(frozen.data()) + frozen.num_bytes());
  const double first = model->loss(kBatch, 0.1).value();
  for (int step = 0; step < 12; ++step) {  // of normalised gradient descent
    model->zero_gradients();
    model->loss_and_backward(kBatch, 0.1).value();
    double norm = 0;
    for (const TrainParameter& parameter : model->parameters()) norm += squares(parameter.gradient);
    for (TrainParameter& parameter : model->parameters()) {
      const auto rate = static_cast<float>(0.3 / std::sqrt(norm));
      for (int64_t i = 0; i < parameter.value.count(); ++i) parameter.value.f32()[i] -= rate * parameter.gradient.f32()[i];
    }
  }
  EXPECT_LT(model->loss(kBatch, 0.1).value(), 0.7 * first);
  EXPECT_EQ(std::memcmp(before.data(), frozen.data(), before.size()), 0);
}

TEST(FrozenType, packs_the_float_matrices_of_the_blocks_and_nothing_else) {
  const atelier::testing::TemporaryFolder folder;
  const auto weights_of = [&](DType stored, const TrainOptions& options) {
    const std::string path = folder / (std::string(dtype_name(stored)) + ".gguf");
    if (!io::is_file(path)) atelier::testing::write_tiny_llama(path, stored);
    auto model = TrainableModel::from_checkpoint(path, options);
    EXPECT_TRUE(model.ok()) << model.status().message();
    return (*model)->weights();
  };
  TrainOptions options;
  options.lora.rank = 2;
  options.frozen_type = DType::kNF4;
  const nn::TransformerParameters packed = weights_of(DType::kF16, options);
  for (const nn::TransformerBlock& layer : packed.layers) {
    for (const nn::LinearLayer* linear : nn::projections_of(layer)) EXPECT_EQ(linear->weight.dtype(), DType::kNF4);
  }
  EXPECT_EQ(packed.embedding.dtype(), DType::kF16) << "the head is tied to it";
  EXPECT_EQ(weights_of(DType::kQ4_1, options).layers[0].mlp.up.weight.dtype(), DType::kQ4_1) << "a block type stays what it is";
  options.frozen_type = DType::kQ6_K;
  EXPECT_EQ(weights_of(DType::kF32, options).layers[1].attention.v.weight.dtype(), DType::kQ6_K);
}

TEST(FrozenType, is_refused_where_it_cannot_be) {
  const atelier::testing::TemporaryFolder folder;
  atelier::testing::write_tiny_llama(folder / "model.gguf", DType::kF32);
  TrainOptions options;
  options.frozen_type = DType::kNF4;
  EXPECT_EQ(TrainableModel::from_checkpoint(folder / "model.gguf", options).status().message(),
            "frozen type: all weights are trained; use lora or another adapter");
  options.lora.rank = 2;
  EXPECT_EQ(TrainableModel::from_checkpoint(ATELIER_SOURCE_DIR "/tests/golden/models/llama3", options).status().message(),
            "checkpoint: rows of layers.0.attention.q.weight have 32 values, no whole blocks of NF4 (64); use another type");
}

INSTANTIATE_TEST_SUITE_P(Types, Qlora, ::testing::ValuesIn(quant::block_formats().begin(), quant::block_formats().end()),
                         [](const auto& tested) { return std::string(dtype_name(tested.param->dtype)); });

}  // namespace
}  // namespace atelier::models
