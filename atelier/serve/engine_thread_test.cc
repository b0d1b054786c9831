#include "atelier/serve/engine_thread.h"

#include <gtest/gtest.h>

#include <future>

#include "tests/support/json_at.h"
#include "tests/support/test_server.h"

namespace atelier::serve {
namespace {

using testing::at;
using testing::HttpClient;

generate::Request request(int64_t num_prompt, int64_t max_tokens) {
  generate::Request made;
  for (int64_t i = 0; i < num_prompt; ++i) made.prompt.push_back(static_cast<int32_t>(100 + i % 100));
  made.options.max_tokens = max_tokens;
  made.options.sampling.temperature = 0;
  made.hooks.on_finish = [](const Result<generate::Generation>&) {};
  return made;
}

template <typename Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

TEST(EngineThread, ACancelledRequestSaysNotOneTokenMore) {
  EngineThread engines({{"tiny", 2, [] { return load_tiny(2); }}}, {});
  ASSERT_TRUE(engines.wait_until_loaded().ok());
  std::atomic<int> num_tokens{0}, num_finished{0};
  std::shared_ptr<Job> job;
  generate::Request wordy = request(4, 200);
  wordy.hooks.on_token = [&](const generate::TokenReport&) {
    if (++num_tokens == 5) engines.cancel(job);
  };
  wordy.hooks.on_finish = [&](const Result<generate::Generation>& generation) {
    EXPECT_EQ(generation->finish, generate::FinishReason::kCancelled);
    ++num_finished;
  };
  job = std::make_shared<Job>(*engines.find("tiny"), std::vector{wordy});
  ASSERT_EQ(engines.submit(job), Admission::kAccepted);
  ASSERT_TRUE(eventually([&] { return num_finished == 1; }));
  EXPECT_EQ(num_tokens, 5);
}

TEST(EngineThread, ACancelledPromptEndsWithThePieceAtHand) {
  const auto load = [] {
    auto loaded = load_tiny(1);
    loaded->engine = generate::Engine::create(*loaded->model, {.max_sequences = 1, .step_rows = 16}).value();
    return loaded;
  };
  EngineThread engines({{"tiny", 1, load}}, {});
  ASSERT_TRUE(engines.wait_until_loaded().ok());
  std::atomic<int> num_steps{0}, num_finished{0};
  std::shared_ptr<Job> job;
  generate::Request lengthy = request(200, 5);
  lengthy.hooks.is_cancelled = [&] {
    if (++num_steps == 3) engines.cancel(job);
    return false;
  };
  lengthy.hooks.on_finish = [&](const Result<generate::Generation>&) { ++num_finished; };
  job = std::make_shared<Job>(*engines.find("tiny"), std::vector{lengthy});
  ASSERT_EQ(engines.submit(job), Admission::kAccepted);
  ASSERT_TRUE(eventually([&] { return num_finished == 1; }));
  EXPECT_EQ(num_steps, 3) << "of 13 pieces";
}

// Counts what is loaded and unloaded by name.
class Store {
 public:
  explicit Store(const EngineThread::Limits& limits) : engines_(sources(), limits) { EXPECT_TRUE(engines_.wait_until_loaded().ok()); }

  EngineThread& engines() { return engines_; }
  std::string loaded() const {
    std::string names;
    for (const auto& known : engines_.known()) names += known.model ? known.name : "";
    return names;
  }
  // Waits for the model, and holds it.
  std::shared_ptr<ServedModel> take(const std::string& name) {
    std::shared_ptr<ServedModel> model;
    std::atomic<bool> is_there{false};
    const auto presence = engines_.want(name, model, [&] {
      model = engines_.find(name);
      is_there = true;
    });
    if (presence == EngineThread::Presence::kComing) {
      EXPECT_TRUE(eventually([&] { return is_there.load(); }));
    }
    return model;
  }

 private:
  static std::vector<ModelSource> sources() {
    const auto broken = []() -> Result<LoadedModel> { return Status::corrupt("file: broken, it must be whole; fetch it again"); };
    return {{"a", 2, [] { return load_tiny(2); }, 100, {"first"}},
            {"b", 2, [] { return load_tiny(2); }, 100},
            {"c", 2, [] { return load_tiny(2); }, 100},
            {"d", 2, broken, 100}};
  }
  EngineThread engines_;
};

TEST(EngineThread, LoadsWhatIsAskedForAndUnloadsWhatWasNotUsedForLongest) {
  Store store({.memory_bytes = 250});
  EXPECT_EQ(store.loaded(), "a") << "the first is loaded at the start";
  store.take("b");
  EXPECT_EQ(store.loaded(), "ab");
  store.take("first");  // another name of a
  const auto wait_a_moment = [] { std::this_thread::sleep_for(std::chrono::milliseconds(2)); };
  auto job = std::make_shared<Job>(*store.take("a"), std::vector{request(2, 1)});
  wait_a_moment();
  ASSERT_EQ(store.engines().submit(job), Admission::kAccepted);  // a is used, later than b
  job.reset();
  ASSERT_TRUE(eventually([&] { return store.engines().num_active() == 0; }));
  store.take("c");
  EXPECT_EQ(store.loaded(), "ac");
}

TEST(EngineThread, KeepsWhatIsInUseAndWaitsForRoom) {
  Store store({.memory_bytes = 100});
  auto held = store.take("a");
  std::shared_ptr<ServedModel> later;
  std::atomic<int> num_there{0};
  ASSERT_EQ(store.engines().want("b", later, [&] { ++num_there; }), EngineThread::Presence::kComing);
  // Who asks for what is loaded stands behind whoever waits for room: nobody is kept out for ever.
  ASSERT_EQ(store.engines().want("a", later, [&] { num_there += 10; }), EngineThread::Presence::kComing);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(store.loaded(), "a");
  EXPECT_EQ(num_there, 0);
  held.reset();
  EXPECT_TRUE(eventually([&] { return num_there == 11; }));
  EXPECT_EQ(store.loaded(), "a") << "b came and went";
}

TEST(EngineThread, AModelThatCannotBeLoadedSaysWhy) {
  Store store({.memory_bytes = 250});
  EXPECT_EQ(store.take("d"), nullptr);
  Status failure;
  EXPECT_EQ(store.engines().find("d", &failure), nullptr);
  EXPECT_NE(failure.message().find("broken"), std::string::npos);
  EXPECT_EQ(store.engines().state(), EngineThread::State::kReady);
  std::shared_ptr<ServedModel> none;
  EXPECT_EQ(store.engines().want("e", none, [] {}), EngineThread::Presence::kUnknown);
}

TEST(EngineThread, UnloadsWhatNobodyAskedForLongEnough) {
  Store store({.memory_bytes = 250, .keep_alive_s = 0.2});
  EXPECT_TRUE(eventually([&] { return store.loaded().empty(); }));
  store.engines().set_keep_alive("b", -1);
  store.take("b");
  store.take("c");
  EXPECT_TRUE(eventually([&] { return store.loaded() == "b"; }));
}

TEST(Loading, Is503UntilTheModelIsThere) {
  std::promise<void> gate;
  EngineThread engines({{"tiny", 1,
                         [&] {
                           gate.get_future().wait();
                           return load_tiny(1);
                         }}},
                       {});
  const auto service = Service::create(engines, {}).value();
  const auto server = http::Server::listen({.port = 0}, service->callbacks()).value();
  const auto ask = [&] { return HttpClient(server->port()).post("/v1/completions", R"({"prompt": "once", "max_tokens": 1})"); };
  for (const auto& answer : {HttpClient(server->port()).get("/health"), ask()}) {
    EXPECT_EQ(answer.status, 503);
    EXPECT_NE(answer.head.find("Retry-After: "), std::string::npos);
  }
  gate.set_value();
  ASSERT_TRUE(engines.wait_until_loaded().ok());
  EXPECT_EQ(HttpClient(server->port()).get("/health").status, 200);
  EXPECT_EQ(ask().status, 200);
}

TEST(ManyModels, AreLoadedByTheRequestThatNamesThem) {
  TestServer server({.models = {"one", "two"}, .model_bytes = 100, .memory_bytes = 150});
  const auto names = [&] {
    std::string loaded;
    const Json models = at(server.get("/api/ps").json(), {"models"});
    for (const Json& model : models.as_array()) loaded += at(model, {"name"}).as_string();
    return loaded;
  };
  EXPECT_EQ(names(), "one");
  const std::string rest = R"(", "prompt": "once", "max_tokens": 5, "temperature": 0})";
  const auto two = server.post("/v1/completions", R"({"model": "two)" + rest);
  EXPECT_EQ(two.status, 200) << two.body;
  EXPECT_EQ(names(), "two");
  EXPECT_EQ(server.get("/health").status, 200);
  const auto one = server.post("/v1/completions", R"({"model": "one)" + rest);
  EXPECT_EQ(at(one.json(), {"choices", "0", "text"}), at(two.json(), {"choices", "0", "text"}));
  const Json all = server.get("/v1/models").json();
  ASSERT_EQ(at(all, {"data"}).as_array().size(), 2u);
  EXPECT_TRUE(at(all, {"data", "0", "loaded"}).as_bool());
  EXPECT_FALSE(at(all, {"data", "1", "loaded"}).as_bool());
  EXPECT_EQ(server.get("/v1/models/two").status, 200);
  EXPECT_EQ(server.get("/v1/models/three").status, 404);
  EXPECT_EQ(server.post("/v1/completions", R"({"model": "three)" + rest).status, 404);
}

TEST(ManyModels, KeepAliveSaysForHowLong) {
  TestServer server({.models = {"one", "two"}, .model_bytes = 100, .memory_bytes = 300});
  const auto num_loaded = [&] { return at(server.get("/api/ps").json(), {"models"}).as_array().size(); };
  const Json loaded = server.post("/api/generate", R"({"model": "two"})").json();
  EXPECT_EQ(at(loaded, {"done_reason"}).as_string(), "load");
  EXPECT_EQ(num_loaded(), 2u);
  EXPECT_EQ(at(server.post("/api/generate", R"({"model": "two", "keep_alive": 0})").json(), {"done_reason"}).as_string(), "unload");
  EXPECT_TRUE(eventually([&] { return num_loaded() == 1; }));
  EXPECT_EQ(server.post("/api/generate", R"({"model": "two", "keep_alive": "5 minutes"})").status, 400);
  EXPECT_EQ(server.post("/api/generate", R"({"model": "two", "keep_alive": "1h30m"})").status, 200);
  const Json running = server.get("/api/ps").json();
  EXPECT_LT(at(running, {"models", "1", "expires_at"}).as_string(), at(running, {"models", "0", "expires_at"}).as_string());
}

TEST(ManyModels, NumCtxHoldsPromptAndAnswerTogether) {
  TestServer server;
  const auto answer = [&](const std::string& context) {
    return server.post("/api/generate",
                       R"({"model": "tiny", "prompt": "once", "raw": true, "stream": false, "options": {"num_ctx": )" + context + "}}");
  };
  const Json cut = answer("20").json();
  EXPECT_EQ(at(cut, {"prompt_eval_count"}).as_int() + at(cut, {"eval_count"}).as_int(), 20);
  EXPECT_EQ(at(cut, {"done_reason"}).as_string(), "length");
  EXPECT_EQ(answer("1").status, 400);
  EXPECT_EQ(answer("257").status, 400);
}

// The text of one choice of a stream.
std::string text_of(const std::string& events, int64_t choice) {
  std::string text;
  for (size_t begin = 0, end; (end = events.find("\n\n", begin)) != std::string::npos; begin = end + 2) {
    const std::string line = events.substr(begin, end - begin);
    if (!line.starts_with("data: {")) continue;
    const Json event = Json::parse(line.substr(6), "event").value();
    for (const Json& one : at(event, {"choices"}).as_array()) {
      if (at(one, {"index"}).as_int() == choice) text += at(one, {"text"}).as_string();
    }
  }
  return text;
}

TEST(BackPressure, ASlowReaderIsWaitedForAndOthersDoNotWait) {
  TestServer server({.max_sequences = 16});
  const std::string body =
      R"({"prompt": "once", "max_tokens": 200, "n": 12, "stream": true, "logprobs": 20, "ignore_eos": true, "seed": 1, "temperature": 1})";
  const auto num_written = [&] { return server.engines().metrics()[0].engine.decode_tokens; };
  HttpClient slow(server.port());
  slow.send_post("/v1/completions", body);
  // It stands still once nobody reads what there is.
  ASSERT_TRUE(eventually([&] {
    const int64_t before = num_written();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    return before > 0 && num_written() == before;
  }));
  EXPECT_EQ(server.engines().num_active(), 12);
  EXPECT_LT(num_written(), 12 * 200);
  const auto other = server.post("/v1/completions", R"({"prompt": "once", "max_tokens": 5})");
  EXPECT_EQ(other.status, 200);
  EXPECT_EQ(server.engines().num_active(), 12);
  // And goes on where it was.
  const std::string late = slow.read_answer().body, swift = server.post("/v1/completions", body).body;
  EXPECT_TRUE(late.ends_with("data: [DONE]\n\n"));
  for (const int64_t choice : {0, 7, 11}) EXPECT_EQ(text_of(late, choice), text_of(swift, choice));
  EXPECT_TRUE(server.becomes_idle());
}

TEST(BackPressure, APausedRequestIsGivenUpWhenItsClientLeaves) {
  TestServer server({.max_sequences = 12});
  {
    HttpClient slow(server.port());
    slow.send_post("/v1/completions",
                   R"({"prompt": "once", "max_tokens": 200, "n": 12, "stream": true, "logprobs": 20, "ignore_eos": true})");
    ASSERT_TRUE(eventually([&] {
      const int64_t before = server.engines().metrics()[0].engine.decode_tokens;
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      return before > 0 && server.engines().metrics()[0].engine.decode_tokens == before;
    }));
  }
  EXPECT_TRUE(server.becomes_idle());
}

}  // namespace
}  // namespace atelier::serve
