// What a training step costs: forward, backward, clipping, AdamW and memory of the cases that docs/benchmarks.md compares with PyTorch. One
// JSON line a case.
//
//   train_step [CASE...] [--steps N] [--f32] [--checkpoints] [--micro ROWS]
//   cases: char_small char_big gpt2_124m sft_smollm2 lora_smollm2 qlora_smollm2
//
// Weights and tokens are random; qlora_smollm2 reads the model of the store, and is run only when it is named. --micro computes so many
// rows of a step at once. `gflops` counts 6 operations per parameter and token, 4 with LoRA. `dtype` is what products are computed in on
// this CPU, forward and, where that differs, on the way back; ATELIER_ISA chooses its instruction set.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/kernels/dispatch.h"
#include "atelier/kernels/isa.h"
#include "atelier/models/store.h"
#include "atelier/models/trainable.h"
#include "atelier/optim/clip.h"
#include "atelier/optim/optimizer.h"
#include "atelier/parallel/parallel.h"

namespace atelier {
namespace {

struct Case {
  const char* name;
  const char* config;  // as config.json; with `from`: null
  int64_t B, T;
  int64_t lora_rank;
  const char* from = nullptr;  // a name of the store
};

constexpr const char* kSmolLm2 =
    R"({"architectures": ["LlamaForCausalLM"], "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
        "num_attention_heads": 9, "num_key_value_heads": 3, "tie_word_embeddings": true, "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-5, "rope_theta": 10000.0})";
constexpr Case kCases[] = {
    {"char_small",
     R"({"architectures": ["GPT2LMHeadModel"], "vocab_size": 65, "n_positions": 64, "n_embd": 128, "n_layer": 4, "n_head": 4})", 12, 64, 0},
    {"char_big",
     R"({"architectures": ["GPT2LMHeadModel"], "vocab_size": 65, "n_positions": 256, "n_embd": 384, "n_layer": 6, "n_head": 6})", 64, 256,
     0},
    {"gpt2_124m",
     R"({"architectures": ["GPT2LMHeadModel"], "vocab_size": 50257, "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12})", 4,
     256, 0},
    {"sft_smollm2", kSmolLm2, 4, 256, 0},
    {"lora_smollm2", kSmolLm2, 4, 256, 8},
    {"qlora_smollm2", nullptr, 4, 256, 8, "smollm2-135m-instruct"},
};

struct Options {
  std::vector<std::string> cases;
  int steps = 10;
  int64_t micro_rows = 0;  // 0: all
  models::TrainOptions train{.precision = Precision::kBF16};
};

template <class Work>
std::vector<double> seconds_of(int repeats, const Work& work) {
  std::vector<double> seconds;
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds;
}

Result<std::unique_ptr<models::TrainableModel>> open(const Case& tested, const models::TrainOptions& train) {
  if (tested.from != nullptr) {
    ATELIER_TRY(const std::string path, models::resolve_model_path(tested.from));
    return models::TrainableModel::from_checkpoint(path, train);
  }
  const Json config = Json::parse(tested.config, tested.name).value();
  const models::ArchDef& arch = *models::find_by_hf_class(config.find("architectures")->as_array()[0].as_string());
  return models::TrainableModel::from_spec(arch, arch.from_hf(config).value(), train);
}

std::string dtype_of(const models::TrainableModel& model, Precision precision) {
  const bool has_bf16 = precision != Precision::kF32 && kernels::active().matmul_bf16.multiply != nullptr;
  const std::string floats = has_bf16 ? "bf16" : "f32";
  const nn::TransformerParameters weights = model.weights();
  const bool is_int8 = precision != Precision::kF32 && is_quantized(weights.layers[0].mlp.up.weight.dtype());
  return is_int8 ? "int8, back " + floats : floats;
}

void run(const Case& tested, const Options& options) {
  models::TrainOptions train = options.train;
  train.max_length = tested.T;
  train.lora.rank = tested.lora_rank;
  auto opened = open(tested, train);
  if (!opened.ok()) {
    std::printf("%s: %s\n", tested.name, opened.status().message().c_str());
    return;
  }
  const auto model = std::move(opened).value();

  const int64_t tokens = tested.B * tested.T;
  std::mt19937 generator(0);
  std::vector<int32_t> ids(static_cast<size_t>(tokens)), labels(ids);
  for (int32_t& id : ids) id = static_cast<int32_t>(generator() % static_cast<uint32_t>(model->spec().vocab_size));
  std::copy(ids.begin() + 1, ids.end(), labels.begin());
  const std::vector<int64_t> lengths(static_cast<size_t>(tested.B), tested.T);
  const int64_t micro_rows = options.micro_rows > 0 ? std::min(options.micro_rows, tested.B) : tested.B;
  std::vector<models::TrainBatch> batches;
  for (int64_t row = 0; row < tested.B; row += micro_rows) {
    const auto begin = static_cast<size_t>(row * tested.T), count = static_cast<size_t>(std::min(micro_rows, tested.B - row));
    const size_t rows = count * static_cast<size_t>(tested.T);
    batches.push_back({std::span(ids).subspan(begin, rows), std::span(labels).subspan(begin, rows), std::span(lengths).first(count)});
  }

  std::vector<optim::Parameter> parameters;
  for (const models::TrainParameter& p : model->parameters()) parameters.push_back({p.name, p.value, p.gradient, p.has_decay});
  optim::Optimizer optimizer(*optim::find_optimizer("adamw"), {}, std::move(parameters));
  const auto step = [&] {
    model->zero_gradients();
    for (const models::TrainBatch& batch : batches) model->loss_and_backward(batch, 1.0 / static_cast<double>(tokens)).value();
    optimizer.step(1e-4, optim::clip_factor(optim::global_norm(optimizer.parameters()), 1.0));
  };
  for (int i = 0; i < 2; ++i) step();
  const std::vector<double> forward = seconds_of(options.steps / 2 + 1, [&] {
    for (const models::TrainBatch& batch : batches) model->loss(batch, 1).value();
  });
  const std::vector<double> whole = seconds_of(options.steps, step);
  const double median = whole[whole.size() / 2];
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double operations = (tested.lora_rank > 0 ? 4.0 : 6.0) * static_cast<double>(model->num_parameters() * tokens);
  std::printf(
      R"({"case": "%s", "dtype": "%s", "threads": %d, "s_forward": %.4f, "s_step_min": %.4f, "s_step_med": %.4f, "tok_s": %.1f, "gflops": %.1f, )"
      R"("activations_mb": %.0f, "rss_mb": %ld})"
      "\n",
      tested.name, dtype_of(*model, train.precision).c_str(), num_threads(), forward[forward.size() / 2], whole[0], median,
      static_cast<double>(tokens) / median, operations / median / 1e9, static_cast<double>(model->memory_bytes()) / 1e6,
      usage.ru_maxrss / 1024);
  std::fflush(stdout);
}

}  // namespace
}  // namespace atelier

int main(int argc, char** argv) {
  if (const char* isa = std::getenv("ATELIER_ISA"); isa != nullptr && *isa != '\0') {
    if (const atelier::Status status = atelier::kernels::force_isa(isa); !status.ok()) {
      std::fprintf(stderr, "train_step: error: %s\n", status.message().c_str());
      return 2;
    }
  }
  atelier::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--steps" && i + 1 < argc) {
      options.steps = std::max(1, std::atoi(argv[++i]));
    } else if (argument == "--micro" && i + 1 < argc) {
      options.micro_rows = std::atoll(argv[++i]);
    } else if (argument == "--f32") {
      options.train.precision = atelier::Precision::kF32;
    } else if (argument == "--checkpoints") {
      options.train.has_checkpoints = true;
    } else {
      options.cases.push_back(argument);
    }
  }
  for (const atelier::Case& tested : atelier::kCases) {
    const bool is_wanted = options.cases.empty()
                               ? tested.from == nullptr
                               : std::find(options.cases.begin(), options.cases.end(), tested.name) != options.cases.end();
    if (is_wanted) atelier::run(tested, options);
  }
}
