// The promise of docs/adr/0009-engine.md: the same request gives the same tokens and the same bits of log-probabilities alone, beside
// others, with or without cached prefixes, with any pieces of prompts, with speculation of both kinds, with one and two threads.
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "atelier/generate/engine.h"
#include "tests/support/generation_cases.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_llama.h"

namespace atelier::generate {
namespace {

// Everything that a request says, with the bits of its numbers.
struct Said {
  std::vector<int32_t> ids;
  std::vector<uint64_t> numbers;

  void add(const TokenReport& report) {
    add_number(report.logprob);
    for (const TokenLogprob& top : report.top) {
      numbers.push_back(static_cast<uint64_t>(top.id));
      add_number(top.logprob);
    }
  }
  void add_number(double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    numbers.push_back(bits);
  }
  bool operator==(const Said&) const = default;
};

// Greedy and sampled, short and long, three of them with one beginning, one that repeats itself, one with a mask, one that reports its
// prompt.
std::vector<Request> workload(int64_t longest) {
  std::vector<Request> requests(8);
  const int64_t lengths[] = {1, longest, longest / 3, longest / 2 + 9, longest / 2 + 30, longest / 2 + 30, 40, 21};
  for (size_t i = 0; i < requests.size(); ++i) {
    Request& request = requests[i];
    request.prompt = random_prompt(lengths[i], i);
    if (i >= 3 && i <= 5) {
      const std::vector<int32_t> beginning = random_prompt(longest / 2 + 5, 100);
      std::copy(beginning.begin(), beginning.end(), request.prompt.begin());
    }
    request.options.max_tokens = 12 + static_cast<int64_t>(i);
    request.options.num_top = 2;
    request.options.sequence = i;
    request.options.sampling.seed = 7;
    request.options.sampling.temperature = i % 2 == 0 ? 0 : 1;
    request.options.sampling.repetition_penalty = i == 5 ? 1.2 : 1;
    request.options.sampling.top_k = i == 3 ? 5 : 0;
  }
  for (size_t i = 0; i < requests[6].prompt.size(); ++i) requests[6].prompt[i] = static_cast<int32_t>(i % 7);
  requests[6].options.mask = [](std::span<const int32_t> answer, std::span<uint64_t> allowed) {
    allowed[0] = answer.size() % 3 == 0 ? 0x7F : 0xFFFFFFFF;
    return Status();
  };
  requests[7].options.report_prompt = true;
  return requests;
}

// All of `requests` through one engine; every `stagger` steps one more arrives.
std::vector<Said> say(models::Model& model, const EngineOptions& options, const std::vector<Request>& requests, int stagger = 0) {
  auto engine = Engine::create(model, options);
  EXPECT_TRUE(engine.ok()) << engine.status().message();
  std::vector<Said> said(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    Request request = requests[i];
    request.hooks.on_token = request.hooks.on_prompt_token = [&said, i](const TokenReport& report) { said[i].add(report); };
    request.hooks.on_finish = [&said, i](const Result<Generation>& generation) {
      EXPECT_TRUE(generation.ok()) << generation.status().message();
      if (generation.ok()) said[i].ids = generation->ids;
    };
    EXPECT_TRUE((*engine)->submit(request).ok());
    for (int step = 0; step < stagger; ++step) EXPECT_TRUE((*engine)->step().ok());
  }
  while ((*engine)->has_work()) EXPECT_TRUE((*engine)->step().ok());
  return said;
}

std::vector<Said> say_alone(models::Model& model, const std::vector<Request>& requests) {
  std::vector<Said> said;
  for (const Request& request : requests) {
    said.push_back(say(model, {.max_sequences = 1, .keeps_prefixes = false}, {request})[0]);
  }
  return said;
}

void expect_same(const std::vector<Said>& alone, const std::vector<Said>& said, const std::string& what) {
  for (size_t i = 0; i < alone.size(); ++i) {
    EXPECT_EQ(alone[i].ids, said[i].ids) << what << ", request " << i;
    EXPECT_EQ(alone[i].numbers, said[i].numbers) << what << ", request " << i;
  }
}

void check_promise(models::Model& model, models::Model& draft, int64_t longest) {
  const std::vector<Request> requests = workload(longest);
  const std::vector<Said> alone = say_alone(model, requests);
  for (const int64_t rows : {1, 7, 64, 512}) {
    for (const bool keeps_prefixes : {false, true}) {
      const EngineOptions options{.max_sequences = 8, .step_rows = rows, .prompt_rows = rows, .keeps_prefixes = keeps_prefixes};
      const std::string what = std::to_string(rows) + " rows, prefixes " + (keeps_prefixes ? "kept" : "not kept");
      expect_same(alone, say(model, options, requests), what);
    }
  }
  std::vector<Request> twice = requests;  // the second time from cached prefixes
  twice.insert(twice.end(), requests.begin(), requests.end());
  std::vector<Said> expected = alone;
  expected.insert(expected.end(), alone.begin(), alone.end());
  expect_same(expected, say(model, {.max_sequences = 3}, twice, 2), "twice, one after the other");
  expect_same(alone, say(model, {.max_sequences = 8, .speculation = Speculation::kLookup}, requests), "lookup");
  for (models::Model* drafting : {&model, &draft}) {
    const EngineOptions options{
        .max_sequences = 4, .step_rows = 64, .speculation = Speculation::kDraft, .draft_model = drafting, .max_draft = 5};
    expect_same(alone, say(model, options, requests, 1), "draft model");
  }
  set_num_threads(2);
  expect_same(alone, say(model, {.max_sequences = 8, .speculation = Speculation::kLookup}, requests), "two threads");
  set_num_threads(1);
}

struct Case {
  std::string model, draft;
  int64_t context;
};
void PrintTo(const Case& tested, std::ostream* out) { *out << tested.model; }

class Promise : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override { set_num_threads(1); }
  void TearDown() override { set_num_threads(available_cores()); }
};

// Every kind of position and window; contexts as far as learned positions reach.
TEST_P(Promise, holds_for_golden_models) {
  const Case& tested = GetParam();
  for (const DType kv : {DType::kF16, DType::kF32}) {
    const auto model = load_golden(tested.model, tested.context, kv), draft = load_golden(tested.draft, tested.context, kv);
    check_promise(*model, *draft, tested.context * 3 / 4 - 20);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Promise,
                         ::testing::Values(Case{"llama3", "llama2", 256}, Case{"gemma3", "gemma2", 256}, Case{"mistral", "llama2", 256},
                                           Case{"bloom", "bloom-heads3", 256}, Case{"gpt2", "gpt1", 48}, Case{"phi3", "qwen2", 256}),
                         [](const auto& tested) { return tested.param.model; });

class PromiseOfTypes : public ::testing::TestWithParam<DType> {
 protected:
  void SetUp() override { set_num_threads(1); }
  void TearDown() override { set_num_threads(available_cores()); }
};

TEST_P(PromiseOfTypes, holds_for_every_weight_and_kv_type) {
  const atelier::testing::TemporaryFolder folder;
  const std::string path = folder / "model.gguf", draft_path = folder / "draft.gguf";
  atelier::testing::write_tiny_llama(path, GetParam());
  atelier::testing::write_tiny_llama(draft_path, DType::kQ8_0, 2);
  for (const DType kv : {DType::kF16, DType::kF32, DType::kQ8_0}) {
    const auto model = load(path, {.kv = kv, .context = 224}), draft = load(draft_path, {.kv = kv, .context = 224});
    ASSERT_NE(model, nullptr);
    check_promise(*model, *draft, 150);
  }
}

INSTANTIATE_TEST_SUITE_P(Types, PromiseOfTypes,
                         ::testing::Values(DType::kF32, DType::kBF16, DType::kF16, DType::kQ4_0, DType::kQ4_1, DType::kQ8_0, DType::kQ4_K,
                                           DType::kQ6_K),
                         [](const auto& tested) { return std::string(dtype_name(tested.param)); });

// A draft model that is the model itself is always right, so that the gain shows; the mask sees every position once.
TEST(Speculating, is_counted_and_asks_the_mask_once_per_position) {
  set_num_threads(1);
  const auto model = load_golden("llama3", 256);
  const auto engine =
      Engine::create(*model, {.max_sequences = 1, .speculation = Speculation::kDraft, .draft_model = model.get(), .max_draft = 4}).value();
  Request request;
  request.prompt = random_prompt(30, 1);
  request.options.max_tokens = 40;
  request.options.sampling.temperature = 1;
  const auto generation = engine->generate(request);
  ASSERT_TRUE(generation.ok());
  EXPECT_EQ(generation->num_accepted, generation->num_drafted);
  EXPECT_GE(generation->num_accepted, 28);
  EXPECT_LE(engine->metrics().steps, 14);

  std::vector<size_t> lengths;
  request.options.mask = [&](std::span<const int32_t> answer, std::span<uint64_t> allowed) {
    lengths.push_back(answer.size());
    allowed[0] = answer.size() % 2 == 0 ? 0xFFFF : ~uint64_t{0};
    return Status();
  };
  const auto masked = engine->generate(request);
  ASSERT_TRUE(masked.ok());
  std::vector<size_t> expected(40);
  std::iota(expected.begin(), expected.end(), size_t{0});
  EXPECT_EQ(lengths, expected);
  EXPECT_GT(masked->num_accepted, 0);
  EXPECT_LT(masked->num_accepted, masked->num_drafted) << "the mask has refused some";
  for (size_t i = 0; i < masked->ids.size(); i += 2) EXPECT_LT(masked->ids[i], 16);
  set_num_threads(available_cores());
}

TEST(Speculating, looks_up_what_followed_the_last_tokens) {
  const std::vector<int32_t> tokens = {1, 2, 3, 4, 5, 6, 2, 3, 4, 9, 8, 2, 3, 4};
  EXPECT_EQ(look_up(tokens, 2), (std::vector<int32_t>{9, 8})) << "the latest occurrence";
  EXPECT_EQ(look_up(tokens, 9), (std::vector<int32_t>{9, 8, 2, 3, 4}));
  EXPECT_TRUE(look_up(std::vector<int32_t>{1, 2, 3, 4}, 5).empty());
  EXPECT_TRUE(look_up(std::vector<int32_t>{1}, 5).empty());
  EXPECT_EQ(look_up(std::vector<int32_t>{7, 7, 7}, 5), (std::vector<int32_t>{7}));
}

TEST(Speculating, refuses_a_draft_model_of_another_vocabulary) {
  const auto model = load_golden("llama3", 64), draft = load_golden("gemma3", 64);
  const Status status = Engine::create(*model, {.speculation = Speculation::kDraft, .draft_model = draft.get()}).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("80 tokens, the model has 72"), std::string::npos) << status.message();
}

// Two sequences fork from one and go on as two that were computed alone.
TEST(Forking, sequences_share_their_beginning_and_go_their_own_ways) {
  set_num_threads(1);
  const auto model = load_golden("llama3", 256);
  const auto pool = model->new_pool(8).value();
  const auto logits_of = [&](std::span<const int32_t> ids, nn::KvCache& cache) {
    const auto logits = model->forward(ids, cache, 1).value();
    return std::vector<float>(logits.begin(), logits.end());
  };
  const std::vector<int32_t> prompt = random_prompt(100, 1), left = random_prompt(40, 2), right = random_prompt(40, 3);
  nn::KvCache first(pool, 200);
  logits_of(prompt, first);
  nn::KvCache second = first.fork();
  const std::vector<float> left_logits = logits_of(left, first), right_logits = logits_of(right, second);
  EXPECT_EQ(first.pages()[0], second.pages()[0]);
  EXPECT_EQ(pool->num_free(), 8 - 5) << "one page in common, two each";
  for (const auto& [ids, logits] : {std::pair(left, left_logits), std::pair(right, right_logits)}) {
    nn::KvCache alone = model->new_cache().value();
    logits_of(prompt, alone);
    EXPECT_EQ(logits_of(ids, alone), logits);
  }
  set_num_threads(available_cores());
}

// What a page held before it was freed does not show, even if it was no number.
TEST(Forking, a_reused_page_shows_nothing_of_its_past) {
  set_num_threads(1);
  for (const char* name : {"llama3", "gemma3", "bloom"}) {
    const auto model = load_golden(name, 128, DType::kF32);
    const std::vector<int32_t> prompt = random_prompt(70, 1);
    nn::KvCache clean = model->new_cache().value();
    const auto logits = model->forward(prompt, clean, 1).value();
    const std::vector<float> expected(logits.begin(), logits.end());
    const auto pool = model->new_pool(2).value();
    for (int i = 0; i < 2; ++i) std::memset(pool->data(*pool->take()), 0xFF, static_cast<size_t>(pool->layout().page_bytes()));
    for (int i = 0; i < 2; ++i) pool->release(i);
    nn::KvCache reused(pool, 128);
    const auto again = model->forward(prompt, reused, 1).value();
    EXPECT_EQ(std::vector<float>(again.begin(), again.end()), expected) << name;
  }
  set_num_threads(available_cores());
}

}  // namespace
}  // namespace atelier::generate
