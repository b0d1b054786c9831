#include "atelier/generate/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "atelier/base/rng.h"
#include "tests/support/generation_cases.h"
#include "tests/support/temporary_folder.h"

namespace atelier::generate {
namespace {

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override { set_num_threads(1); }
  void TearDown() override { set_num_threads(available_cores()); }

  std::unique_ptr<Engine> engine(const EngineOptions& options) {
    auto made = Engine::create(*model, options);
    EXPECT_TRUE(made.ok()) << made.status().message();
    return std::move(made).value();
  }
  // Submits and keeps the outcome.
  Engine::RequestId submit(Engine& in, Request request) {
    const size_t place = outcomes.size();
    outcomes.emplace_back();
    request.hooks.on_finish = [this, place](const Result<Generation>& generation) {
      order.push_back(place);
      outcomes[place] = generation;
    };
    const auto id = in.submit(std::move(request));
    EXPECT_TRUE(id.ok()) << id.status().message();
    return *id;
  }
  static void run(Engine& in) {
    for (int step = 0; in.has_work() && step < 10000; ++step) ASSERT_TRUE(in.step().ok());
    ASSERT_FALSE(in.has_work());
  }
  static Request request(int64_t prompt_length, int64_t max_tokens, uint64_t seed = 1) {
    Request made;
    made.prompt = random_prompt(prompt_length, seed);
    made.options.max_tokens = max_tokens;
    made.options.sampling.temperature = 0;
    return made;
  }

  std::unique_ptr<models::Model> model = load_golden("llama3", 512);
  std::vector<std::optional<Result<Generation>>> outcomes;
  std::vector<size_t> order;  // in which requests ended
};

TEST_F(EngineTest, refuses_what_can_never_run) {
  const auto made = engine({.context = 100});
  const auto code = [&](Request wrong) { return made->submit(std::move(wrong)).status().code(); };
  EXPECT_EQ(code(request(0, 1)), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(request(100, 1)), StatusCode::kOutOfRange);
  EXPECT_NE(made->submit(request(100, 1)).status().message().find("100 tokens, the context of 100"), std::string::npos);
  Request outside = request(3, 1);
  outside.prompt[1] = 1 << 20;
  EXPECT_EQ(code(outside), StatusCode::kInvalidArgument);
  Request adapter = request(3, 1);
  adapter.options.adapters = {{"french"}};
  EXPECT_EQ(code(adapter), StatusCode::kNotFound);
  Request stops = request(3, 1);
  stops.options.stop_strings = {"x"};
  EXPECT_EQ(code(stops), StatusCode::kInvalidArgument) << "this model has no tokenizer";
  Request cold = request(3, 1);
  cold.options.sampling.temperature = -1;
  EXPECT_EQ(code(cold), StatusCode::kInvalidArgument);
  EXPECT_FALSE(made->has_work());
  EXPECT_FALSE(Engine::create(*model, {.max_sequences = 0}).ok());
  EXPECT_EQ(Engine::create(*model, {.kv_bytes = 1}).status().code(), StatusCode::kOutOfRange);
}

TEST_F(EngineTest, a_context_that_fills_up_is_a_reason_to_end) {
  const auto made = engine({.context = 8});
  const auto generation = made->generate(request(5, -1));
  ASSERT_TRUE(generation.ok());
  EXPECT_EQ(generation->finish, FinishReason::kContextFull);
  EXPECT_EQ(generation->ids.size(), 4u) << "the token that no longer fits is still said";
}

TEST_F(EngineTest, no_tokens_asked_for_reads_the_prompt_alone) {
  const auto made = engine({});
  Request scored = request(70, 0);
  scored.options.report_prompt = true;
  size_t reports = 0;
  scored.hooks.on_prompt_token = [&](const TokenReport&) { ++reports; };
  const auto generation = made->generate(scored);
  ASSERT_TRUE(generation.ok());
  EXPECT_EQ(generation->finish, FinishReason::kLength);
  EXPECT_TRUE(generation->ids.empty());
  EXPECT_EQ(reports, 69u) << "every token of the prompt but the first";
}

TEST_F(EngineTest, the_next_turn_computes_only_what_is_new) {
  const auto made = engine({.max_sequences = 1});
  Request turn = request(110, 30);
  const auto first = made->generate(turn);
  EXPECT_EQ(first->num_reused, 0);
  turn.prompt.insert(turn.prompt.end(), first->ids.begin(), first->ids.end());
  turn.prompt.push_back(5);
  const auto second = made->generate(turn);
  EXPECT_EQ(second->num_prompt, 141);
  EXPECT_EQ(second->num_reused, 139) << "all but the last token of the answer, which was never run, and the new one";
  const auto again = made->generate(turn);
  EXPECT_EQ(again->num_reused, 140) << "the last token is computed again";
  EXPECT_EQ(again->ids, second->ids);
}

TEST_F(EngineTest, scopes_do_not_share_prefixes) {
  const auto made = engine({});
  Request mine = request(100, 1);
  mine.cache_scope = "mine";
  ASSERT_TRUE(made->generate(mine).ok());
  Request yours = mine;
  yours.cache_scope = "yours";
  EXPECT_EQ(made->generate(yours)->num_reused, 0);
  EXPECT_EQ(made->generate(mine)->num_reused, 99);
}

TEST_F(EngineTest, requests_that_begin_alike_compute_their_beginning_once_even_at_the_same_time) {
  const auto made = engine({.max_sequences = 8, .step_rows = 64});
  for (int i = 0; i < 8; ++i) {
    Request sample = request(200, 4);
    sample.options.sampling.temperature = 1;
    sample.options.sequence = static_cast<uint64_t>(i);
    submit(*made, sample);
  }
  run(*made);
  EXPECT_EQ(made->metrics().prompt_tokens, 8 * 200);
  EXPECT_LE(made->metrics().prefill_tokens, 192 + 8 * 8) << "three pages once, the rest of each prompt alone";
}

TEST_F(EngineTest, cancelling_ends_a_request_now_and_frees_its_pages) {
  const auto made = engine({.max_sequences = 2, .keeps_prefixes = false});
  const int64_t all = made->metrics().kv_pages_free;
  const auto a = submit(*made, request(300, -1)), b = submit(*made, request(3, 2)), c = submit(*made, request(3, 2));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(made->step().ok());
  made->cancel(a);
  ASSERT_TRUE(outcomes[0].has_value());
  EXPECT_EQ((*outcomes[0])->finish, FinishReason::kCancelled);
  EXPECT_EQ((*outcomes[0])->ids.size(), 3u) << "what was said stays";
  made->cancel(c);
  EXPECT_EQ((*outcomes[2])->finish, FinishReason::kCancelled) << "it was waiting";
  made->cancel(a);
  made->cancel(12345);
  run(*made);
  EXPECT_EQ((*outcomes[1])->finish, FinishReason::kLength);
  EXPECT_EQ(made->metrics().kv_pages_free, all);
  EXPECT_EQ(made->metrics().cancelled, 2);
  (void)b;
}

TEST_F(EngineTest, a_paused_request_says_the_same_later) {
  const auto made = engine({.max_sequences = 2});
  const auto expected = made->generate(request(20, 12)).value().ids;
  const auto paused = submit(*made, request(20, 12));
  submit(*made, request(30, 4, 2));
  ASSERT_TRUE(made->step().ok());
  made->pause(paused);
  run(*made);
  ASSERT_TRUE(outcomes[1].has_value()) << "others go on";
  ASSERT_FALSE(outcomes[0].has_value());
  submit(*made, request(10, 2, 3));
  run(*made);
  EXPECT_TRUE(outcomes[2].has_value());
  EXPECT_FALSE(outcomes[0].has_value());
  made->resume(paused);
  run(*made);
  EXPECT_EQ((*outcomes[0])->ids, expected);
  const auto dropped = submit(*made, request(20, 12));
  made->pause(dropped);
  run(*made);
  made->cancel(dropped);
  EXPECT_EQ((*outcomes[3])->finish, FinishReason::kCancelled);
}

// One that waits for a page which a paused one was about to compute would wait for ever.
TEST_F(EngineTest, nobody_waits_for_the_prompt_of_a_paused_request) {
  const auto made = engine({.max_sequences = 2, .step_rows = 16});
  const auto first = submit(*made, request(100, 2));
  ASSERT_TRUE(made->step().ok());
  made->pause(first);
  submit(*made, request(100, 2));
  run(*made);
  EXPECT_TRUE(outcomes[1].has_value());
}

TEST_F(EngineTest, hooks_may_cancel_and_submit) {
  const auto made = engine({.max_sequences = 4});
  Engine::RequestId other = 0;
  Request first = request(3, 10);
  int tokens = 0;
  first.hooks.on_token = [&](const TokenReport&) {
    if (++tokens == 2) made->cancel(other);
    if (tokens == 3) submit(*made, request(4, 1));
  };
  submit(*made, first);
  other = submit(*made, request(5, 100));
  run(*made);
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ((*outcomes[0])->ids.size(), 10u);
  EXPECT_EQ((*outcomes[1])->finish, FinishReason::kCancelled);
  EXPECT_LE((*outcomes[1])->ids.size(), 2u);
  EXPECT_EQ((*outcomes[2])->ids.size(), 1u);
}

TEST_F(EngineTest, asks_each_request_whether_it_is_cancelled) {
  const auto made = engine({});
  Request asked = request(3, -1);
  int left = 4;
  asked.hooks.is_cancelled = [&] { return left-- == 0; };
  const auto generation = made->generate(asked);
  EXPECT_EQ(generation->finish, FinishReason::kCancelled);
  EXPECT_EQ(generation->ids.size(), 5u) << "the first step gives the first token, and is not asked";
}

TEST_F(EngineTest, a_request_waits_until_its_memory_is_there) {
  const nn::KvLayout layout(model->spec(), model->kv_dtype());
  const auto made = engine({.max_sequences = 8, .kv_bytes = 4 * layout.page_bytes()});
  EXPECT_EQ(made->context(), 256);
  submit(*made, request(100, 90, 1));  // 3 pages
  submit(*made, request(60, 30, 2));   // 2 pages: waits
  submit(*made, request(10, 10, 3));   // 1 page would fit, but nobody overtakes
  ASSERT_TRUE(made->step().ok());
  EXPECT_EQ(made->metrics().num_running, 1);
  EXPECT_EQ(made->metrics().num_queued, 2);
  run(*made);
  EXPECT_EQ(order.front(), 0u);
  for (const auto& outcome : outcomes) EXPECT_TRUE(outcome->ok());
}

TEST_F(EngineTest, remembered_prefixes_give_way_to_running_requests) {
  const nn::KvLayout layout(model->spec(), model->kv_dtype());
  const auto made = engine({.max_sequences = 2, .kv_bytes = 6 * layout.page_bytes()});
  for (uint64_t seed = 0; seed < 12; ++seed) submit(*made, request(100 + 5 * static_cast<int64_t>(seed), 40, seed));
  run(*made);
  for (const auto& outcome : outcomes) {
    ASSERT_TRUE(outcome->ok());
    EXPECT_EQ((*outcome)->ids.size(), 40u);
  }
  // A prompt as long as the whole memory, whose last page would have to be copied, still runs.
  Request full = request(380, 3, 99);
  ASSERT_TRUE(made->generate(full).ok());
  const auto again = made->generate(full);
  ASSERT_TRUE(again.ok());
  EXPECT_GE(again->num_reused, 320);
}

TEST_F(EngineTest, a_short_prompt_is_not_held_up_by_long_ones) {
  const auto made = engine({.max_sequences = 4, .step_rows = 64});
  for (uint64_t seed = 0; seed < 3; ++seed) submit(*made, request(450, 1, seed));
  submit(*made, request(20, 1, 7));
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(made->step().ok());
  EXPECT_TRUE(outcomes[3].has_value()) << "everybody has had a turn by now";
  EXPECT_FALSE(outcomes[0].has_value());
  run(*made);
}

TEST_F(EngineTest, priorities_come_first_and_waiting_raises_them) {
  const auto made = engine({.max_sequences = 1});
  const auto submit_with = [&](int priority) {
    Request made_request = request(3, 2);
    made_request.priority = priority;
    submit(*made, made_request);
  };
  submit_with(0);
  submit_with(1);
  submit_with(0);
  run(*made);
  EXPECT_EQ(order, (std::vector<size_t>{1, 0, 2}));

  // A stream of important requests does not starve an unimportant one for ever.
  outcomes.clear();
  submit_with(0);
  for (int i = 0; i < 200 && !outcomes[0]; ++i) {
    submit_with(2);
    for (int step = 0; step < 2; ++step) ASSERT_TRUE(made->step().ok());
  }
  EXPECT_TRUE(outcomes[0].has_value());
  run(*made);
}

TEST_F(EngineTest, a_failed_request_does_not_touch_the_others) {
  const auto made = engine({.max_sequences = 2});
  Request bad = request(3, 10);
  bad.options.mask = [](std::span<const int32_t> answer, std::span<uint64_t> allowed) {
    if (answer.size() < 2) allowed[0] = 0xF0;
    return Status();
  };
  submit(*made, bad);
  submit(*made, request(3, 5));
  run(*made);
  EXPECT_FALSE(outcomes[0]->ok());
  EXPECT_EQ((*outcomes[1])->ids.size(), 5u);
  EXPECT_EQ(made->metrics().failed, 1);
}

TEST_F(EngineTest, prefixes_survive_the_process) {
  const atelier::testing::TemporaryFolder folder;
  const std::string path = folder / "prefixes";
  const Request turn = request(220, 10);
  const auto before = engine({});
  const auto first = before->generate(turn);
  ASSERT_TRUE(before->save_prefixes(path).ok());

  const auto after = engine({});
  ASSERT_TRUE(after->restore_prefixes(path).ok());
  const auto second = after->generate(turn);
  EXPECT_EQ(second->num_reused, 219);
  EXPECT_EQ(second->ids, first->ids);

  const auto other = load_golden("llama2", 512);
  const Status refused = Engine::create(*other, {}).value()->restore_prefixes(path);
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument) << refused.message();
}

}  // namespace
}  // namespace atelier::generate
