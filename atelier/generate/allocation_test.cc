// A steady decoding step allocates nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "atelier/generate/engine.h"
#include "tests/support/allocation_watch.h"
#include "tests/support/generation_cases.h"

namespace atelier::generate {
namespace {

// Allocations of steps in the middle of the answers of three requests, each with one of the samplings: the fewest of four times ten, since
// a thread that comes late to its first piece of work takes its working memory then.
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
  int64_t count = std::numeric_limits<int64_t>::max();
  for (int window = 0; window < 4; ++window) {
    testing::reset_allocations();
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(engine->step().ok());
    count = std::min(count, testing::num_allocations());
  }
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

// The text of an answer grows by doubling: ten tokens of up to a dozen bytes for each of three requests.
TEST(Allocations, text_makes_as_many_as_its_doublings) {
  const auto model = load_golden("smollm2", 128);
  ASSERT_TRUE(model->tokenizer().ok());
  EXPECT_LE(allocations_of_steps(*model, 1), 3 * 4);
}

}  // namespace
}  // namespace atelier::generate
