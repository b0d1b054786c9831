// Losses and gradients against PyTorch in float64 (tests/golden/make_gradient_goldens.py, make_encoder_gradients.py), ten steps of AdamW
// beside its own (make_trajectory_goldens.py), and the promises of training: the same bits twice, with checkpoints, and as inference
// computes them.
#include "atelier/models/trainable.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>

#include "atelier/base/json.h"
#include "atelier/format/checkpoint.h"
#include "atelier/io/file.h"
#include "atelier/kernels/kernels.h"
#include "atelier/models/model.h"
#include "atelier/models/weights.h"
#include "atelier/optim/clip.h"
#include "atelier/optim/optimizer.h"
#include "atelier/optim/schedule.h"
#include "atelier/parallel/parallel.h"

namespace atelier::models {
namespace {

namespace fs = std::filesystem;

template <class T>
std::vector<T> integers(const Json& json, const char* key) {
  std::vector<T> out;
  const Json* values = json.find(key);
  if (values == nullptr) return out;
  for (const Json& value : values->as_array()) out.push_back(static_cast<T>(value.as_int()));
  return out;
}

struct Golden {
  // `name` is "models/gpt2" or "encoders/bert-token".
  explicit Golden(const std::string& name) : folder(fs::path(ATELIER_SOURCE_DIR) / "tests/golden" / name) {
    const Json json = Json::parse(io::read_file(folder / "gradients.json").value(), "gradients.json").value();
    ids = integers<int32_t>(json, "ids");
    labels = integers<int32_t>(json, "labels");
    lengths = integers<int64_t>(json, "lengths");
    segments = integers<int32_t>(json, "segments");
    text_labels = integers<int32_t>(json, "text_labels");
    groups = integers<int64_t>(json, "groups");
    if (const Json* targets = json.find("text_targets")) {
      for (const Json& target : targets->as_array()) text_targets.push_back(static_cast<float>(target.as_double()));
    }
    if (std::ranges::count(segments, 0) == std::ssize(segments)) segments.clear();
    loss = json.get_double("loss").value();
  }

  TrainBatch batch() const { return part(0, lengths.size()); }
  // Where documents may be parted: behind the first group, if there are any.
  size_t border() const { return groups.empty() ? 1 : static_cast<size_t>(groups[0]); }
  // Documents [first, last).
  TrainBatch part(size_t first, size_t last) const {
    size_t begin = 0, end = 0;
    for (size_t i = 0; i < last; ++i) (i < first ? begin : end) += static_cast<size_t>(lengths[i]);
    const auto rows = [&](const std::vector<int32_t>& all) {
      return all.empty() ? std::span<const int32_t>() : std::span(all).subspan(begin, end);
    };
    TrainBatch out{rows(ids), rows(labels), std::span(lengths).subspan(first, last - first)};
    out.segments = rows(segments);
    if (!groups.empty()) {
      const size_t from = first == 0 ? 0 : 1, to = last == lengths.size() ? groups.size() : 1;
      out.groups = std::span(groups).subspan(from, to - from);
      out.text_labels = std::span(text_labels).subspan(from, to - from);
    } else {
      out.text_labels = of_documents(text_labels, first, last);
      out.text_targets = of_documents(text_targets, first, last);
    }
    out.text_weight = 1 / static_cast<double>(std::max<size_t>(1, text_labels.size() + text_targets.size()));
    return out;
  }
  double weight() const {
    const auto count = labels.size() - static_cast<size_t>(std::count(labels.begin(), labels.end(), kIgnoredLabel));
    return count > 0 ? 1.0 / static_cast<double>(count) : 0;
  }
  // PyTorch's gradients by logical name, through the loader of weights.
  std::map<std::string, Tensor> gradients(TrainableModel& model) const {
    const auto checkpoint = format::open_checkpoint(folder / "gradients.safetensors").value();
    nn::TransformerParameters parameters = load_parameters(model.arch(), Layout::kHuggingFace, model.spec(), *checkpoint, false).value();
    std::map<std::string, Tensor> out;
    nn::visit_parameters(model.spec(), parameters, [&](const nn::ParameterInfo& info, Tensor& tensor) {
      out[info.name] = tensor;
      if (stored_parameter(model.arch(), Layout::kHuggingFace, info.name).transform != Transform::kOneLess) return;
      for (int64_t i = 0; i < tensor.count(); ++i) tensor.f32()[i] -= 1;  // the loader added it
    });
    return out;
  }

  // As many numbers of each document.
  template <class T>
  std::span<const T> of_documents(const std::vector<T>& all, size_t first, size_t last) const {
    const size_t each = all.size() / lengths.size();
    return std::span(all).subspan(first * each, (last - first) * each);
  }

  fs::path folder;
  std::vector<int32_t> ids, labels, segments, text_labels;
  std::vector<float> text_targets;
  std::vector<int64_t> lengths, groups;
  double loss;
};

// Models that have a golden of this kind.
std::vector<std::string> golden_names(const char* file) {
  std::vector<std::string> names;
  for (const std::string kind : {"models", "encoders"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(ATELIER_SOURCE_DIR) / "tests/golden" / kind)) {
      if (fs::exists(entry.path() / file)) names.push_back(kind + "/" + entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string test_name(const testing::TestParamInfo<std::string>& tested) {
  std::string name = tested.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
}

std::unique_ptr<TrainableModel> open(const Golden& golden, const TrainOptions& options = {}) {
  auto model = TrainableModel::from_checkpoint(golden.folder, options);
  EXPECT_TRUE(model.ok()) << model.status().message();
  return std::move(model).value();
}

double norm(const float* x, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(x[i]) * x[i];
  return std::sqrt(sum);
}

// Per tensor |g - r| / max(|r|, 1e-3 of the global norm); the largest, and whose it is.
std::pair<double, std::string> distance(TrainableModel& model, const std::map<std::string, Tensor>& wanted) {
  double squares = 0;
  for (const auto& [name, tensor] : wanted) squares += std::pow(norm(tensor.f32(), tensor.count()), 2);
  std::pair<double, std::string> worst{0, ""};
  for (const TrainParameter& parameter : model.parameters()) {
    const Tensor& reference = wanted.at(parameter.name);
    std::vector<float> difference(static_cast<size_t>(reference.count()));
    for (size_t i = 0; i < difference.size(); ++i) difference[i] = parameter.gradient.f32()[i] - reference.f32()[i];
    const double bound = std::max(norm(reference.f32(), reference.count()), 1e-3 * std::sqrt(squares));
    worst = std::max(worst, {norm(difference.data(), reference.count()) / bound, parameter.name});
  }
  return worst;
}

std::vector<float> all_gradients(TrainableModel& model) {
  std::vector<float> out;
  for (const TrainParameter& parameter : model.parameters()) {
    out.insert(out.end(), parameter.gradient.f32(), parameter.gradient.f32() + parameter.gradient.count());
  }
  return out;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

class Gradients : public testing::TestWithParam<std::string> {
 protected:
  Golden golden_{GetParam()};
};

TEST_P(Gradients, equal_pytorch_in_float64) {
  const auto model = open(golden_);
  const Result<double> loss = model->loss_and_backward(golden_.batch(), golden_.weight());
  ASSERT_TRUE(loss.ok()) << loss.status().message();
  EXPECT_NEAR(*loss, golden_.loss, 2e-6 * golden_.loss);
  const auto [worst, name] = distance(*model, golden_.gradients(*model));
  EXPECT_LE(worst, 1e-4) << name;
}

TEST_P(Gradients, of_bfloat16_products_are_close) {
  const auto model = open(golden_, {.precision = Precision::kBF16});
  const double loss = model->loss_and_backward(golden_.batch(), golden_.weight()).value();
  EXPECT_NEAR(loss, golden_.loss, 2e-2 * golden_.loss);
  std::vector<float> difference = all_gradients(*model), wanted;
  const std::map<std::string, Tensor> golden = golden_.gradients(*model);
  for (const TrainParameter& parameter : model->parameters()) {
    const Tensor& gradient = golden.at(parameter.name);
    wanted.insert(wanted.end(), gradient.f32(), gradient.f32() + gradient.count());
  }
  for (size_t i = 0; i < wanted.size(); ++i) difference[i] -= wanted[i];
  const auto count = static_cast<int64_t>(wanted.size());
  EXPECT_LE(norm(difference.data(), count), 0.03 * norm(wanted.data(), count));
}

TEST_P(Gradients, have_the_same_bits_twice_and_with_checkpoints) {
  const auto model = open(golden_), again = open(golden_, {.has_checkpoints = true});
  model->loss_and_backward(golden_.batch(), golden_.weight()).value();
  const std::vector<float> first = all_gradients(*model);
  model->zero_gradients();
  model->loss_and_backward(golden_.batch(), golden_.weight()).value();
  EXPECT_TRUE(same_bits(first, all_gradients(*model)));
  again->loss_and_backward(golden_.batch(), golden_.weight()).value();
  EXPECT_TRUE(same_bits(first, all_gradients(*again)));
}

TEST_P(Gradients, add_up_over_micro_batches) {
  const auto model = open(golden_);
  model->loss_and_backward(golden_.batch(), golden_.weight()).value();
  const std::vector<float> whole = all_gradients(*model);
  model->zero_gradients();
  double loss = model->loss_and_backward(golden_.part(0, golden_.border()), golden_.weight()).value();
  loss += model->loss_and_backward(golden_.part(golden_.border(), golden_.lengths.size()), golden_.weight()).value();
  EXPECT_NEAR(loss, golden_.loss, 2e-6 * golden_.loss);
  const std::vector<float> parts = all_gradients(*model);
  std::vector<float> difference(whole.size());
  for (size_t i = 0; i < whole.size(); ++i) difference[i] = whole[i] - parts[i];
  EXPECT_LE(norm(difference.data(), static_cast<int64_t>(whole.size())), 1e-6 * norm(whole.data(), static_cast<int64_t>(whole.size())));
}

TEST_P(Gradients, losses_and_logits_of_a_task_come_from_one_pass) {
  const auto model = open(golden_);
  const auto outputs = model->task_outputs(golden_.batch(), golden_.weight());
  if (model->spec().head.kind == nn::HeadKind::kNone) {
    EXPECT_FALSE(outputs.ok());
    return;
  }
  ASSERT_TRUE(outputs.ok()) << outputs.status().message();
  EXPECT_EQ(outputs->loss, model->loss(golden_.batch(), golden_.weight()).value());
  const bool is_of_text = nn::head_def(model->spec().head.kind).is_of_text;
  const size_t rows = is_of_text ? golden_.lengths.size() : golden_.ids.size();
  EXPECT_EQ(outputs->logits.size(), rows * static_cast<size_t>(model->spec().head.num_labels));
}

// Reinforcement learning compares what generation said of a token with what the tape's forward says of it.
TEST_P(Gradients, come_from_the_bits_that_inference_computes) {
  for (const Precision precision : {Precision::kF32, Precision::kBF16}) {
    const auto model = open(golden_, {.precision = precision});
    nn::Transformer& transformer = model->transformer();
    const std::span ids = std::span(golden_.ids).first(static_cast<size_t>(golden_.lengths[0]));
    Arena arena, cached_arena;
    Tape tape;
    for (const TrainParameter& parameter : model->parameters())
      tape.watch(parameter.value, Tensor::zeros(DType::kF32, parameter.value.shape()));
    Context context{arena, precision, nullptr, &tape}, cached_context{cached_arena, precision};
    const nn::RowRun document{nullptr, golden_.lengths[0]};
    const Tensor hidden = transformer.forward(context, ids, std::span(&document, 1));
    if (model->spec().mask == nn::MaskKind::kBidirectional) {
      tape.clear();
      const Tensor untaped = transformer.forward(cached_context, ids, std::span(&document, 1));
      EXPECT_EQ(std::memcmp(hidden.f32(), untaped.f32(), static_cast<size_t>(hidden.num_bytes())), 0);
      continue;
    }
    const Tensor logits = transformer.logits(cached_context, hidden);
    const std::vector<float> taped(logits.f32(), logits.f32() + logits.count());
    tape.clear();

    nn::KvCache cache = nn::KvCache::create(model->spec(), DType::kF32, golden_.lengths[0]).value();
    std::vector<float> cached;
    for (size_t t = 0; t < ids.size(); ++t) {  // token by token
      cached_arena.reset();
      const nn::RowRun run{&cache, 1};
      const Tensor row = transformer.logits(cached_context, transformer.forward(cached_context, ids.subspan(t, 1), std::span(&run, 1)));
      cached.insert(cached.end(), row.f32(), row.f32() + row.count());
    }
    EXPECT_TRUE(same_bits(taped, cached)) << (precision == Precision::kF32 ? "f32" : "bf16");
  }
}

INSTANTIATE_TEST_SUITE_P(Goldens, Gradients, testing::ValuesIn(golden_names("gradients.json")), test_name);

class Trajectories : public testing::TestWithParam<std::string> {
 protected:
  Golden golden_{GetParam()};
};

// Losses before each of ten steps and behind the last one.
TEST_P(Trajectories, of_adamw_equal_pytorch_in_float64) {
  const Json json = Json::parse(io::read_file(golden_.folder / "trajectory.json").value(), "trajectory.json").value();
  const auto number = [&](const char* key) { return json.get_double(key).value(); };
  const auto& wanted = json.find("losses")->as_array();
  const optim::ScheduleOptions schedule{"cosine", number("learning_rate"), number("min_learning_rate"), json.get_int("steps").value(),
                                        json.get_int("warmup_steps").value()};
  const optim::OptimizerOptions options{
      .beta1 = number("beta1"), .beta2 = number("beta2"), .epsilon = number("epsilon"), .weight_decay = number("weight_decay")};
  const auto model = open(golden_);
  std::vector<optim::Parameter> parameters;
  for (const TrainParameter& p : model->parameters()) parameters.push_back({p.name, p.value, p.gradient, p.has_decay});
  optim::Optimizer optimizer(*optim::find_optimizer("adamw"), options, std::move(parameters));
  for (int64_t step = 1; step <= schedule.num_steps + 1; ++step) {
    model->zero_gradients();
    const double loss = model->loss_and_backward(golden_.batch(), golden_.weight()).value();
    EXPECT_NEAR(loss, wanted[static_cast<size_t>(step - 1)].as_double(), 1e-4) << "step " << step;
    const double factor = optim::clip_factor(optim::global_norm(optimizer.parameters()), number("clip"));
    optimizer.step(optim::learning_rate_at(schedule, step), factor);
  }
}

INSTANTIATE_TEST_SUITE_P(Goldens, Trajectories, testing::ValuesIn(golden_names("trajectory.json")), test_name);

TEST(Trainable, refuses_batches_that_do_not_fit) {
  const Golden golden("models/gpt2");
  const auto model = open(golden, {.max_length = 21});
  const std::vector<int64_t> lengths = {22, 10};
  EXPECT_EQ(model->loss({golden.ids, golden.labels, lengths}, 1).status().message(), "batch: a document of 22 tokens, at most 21");
  const std::vector<int64_t> short_of = {21};
  EXPECT_FALSE(model->loss({golden.ids, golden.labels, short_of}, 1).ok());
}

TEST(Trainable, a_batch_without_labels_costs_nothing) {
  const Golden golden("models/gpt2");
  const auto model = open(golden);
  const std::vector<int32_t> labels(golden.ids.size(), kIgnoredLabel);
  EXPECT_EQ(model->loss_and_backward({golden.ids, labels, golden.lengths}, 1).value(), 0);
  for (const float gradient : all_gradients(*model)) ASSERT_EQ(gradient, 0);
}

}  // namespace
}  // namespace atelier::models
