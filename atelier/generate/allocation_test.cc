// A steady decoding step allocates nothing.
#include <gtest/gtest.h>

#include "atelier/generate/engine.h"
#include "tests/support/allocation_watch.h"
#include "tests/support/generation_cases.h"

namespace atelier::generate {
namespace {

// Allocations of 40 steps in the middle of the answers of three requests, each with one of the samplings.
int64_t allocations_of_steps(models::Model& model, int threads) {
  set_num_threads(threads);
  const auto engine = Engine::create(model, {.max_sequences = 3}).value();
  for (const double temperature : {0.0, 1.0, 0.7}) {
    Request request;
    request.prompt = random_prompt(66, 1);  // no page is full before 62 tokens have been written
    request.options.max_tokens = 60;
    request.options.sampling.temperature = temperature;
    request.options.sampling.top_k = temperature == 0.7 ? 20 : 0;
    EXPECT_TRUE(engine->submit(request).ok());
  }
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(engine->step().ok());
  testing::reset_allocations();
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(engine->step().ok());
  const int64_t count = testing::num_allocations();
  EXPECT_EQ(engine->metrics().num_running, 3) << "all were being written";
  set_num_threads(available_cores());
  return count;
}

TEST(Allocations, a_steady_step_makes_none) {
  for (const char* name : {"llama3", "gemma3", "bloom"}) {
    const auto model = load_golden(name, 128);
    for (const int threads : {1, 2}) EXPECT_EQ(allocations_of_steps(*model, threads), 0) << name << ", threads: " << threads;
  }
}

// The text of an answer grows by doubling: 40 tokens of up to a dozen bytes for each of three requests.
TEST(Allocations, text_makes_as_many_as_its_doublings) {
  const auto model = load_golden("smollm2", 128);
  ASSERT_TRUE(model->tokenizer().ok());
  EXPECT_LE(allocations_of_steps(*model, 1), 3 * 4);
}

}  // namespace
}  // namespace atelier::generate
