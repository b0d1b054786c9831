#include <gtest/gtest.h>

#include <cmath>
#include <future>

#include "tests/support/json_at.h"
#include "tests/support/test_server.h"

namespace atelier::serve {
namespace {

using testing::at;
using testing::HttpAnswer;
using testing::HttpClient;

TestServer& server() {
  static TestServer instance;
  return instance;
}

constexpr const char* kPath = "/v1/chat/completions";

std::string request(const std::string& more, const std::string& content = "Hello there") {
  return R"({"model": "tiny", "messages": [{"role": "user", "content": ")" + content + R"("}], "max_tokens": 12, "seed": 7)" + more + "}";
}

// The events of a stream, without [DONE], which must come last.
std::vector<Json> events(const std::string& body) {
  std::vector<Json> all;
  size_t begin = 0;
  for (size_t end; (end = body.find("\n\n", begin)) != std::string::npos; begin = end + 2) {
    const std::string event = body.substr(begin, end - begin);
    EXPECT_TRUE(event.starts_with("data: ")) << event;
    if (event == "data: [DONE]") {
      EXPECT_EQ(end + 2, body.size());
      return all;
    }
    all.push_back(Json::parse(event.substr(6), "event").value());
  }
  ADD_FAILURE() << "no [DONE] in " << body;
  return all;
}

std::string streamed_text(const std::vector<Json>& chunks) {
  std::string text;
  for (const Json& chunk : chunks) {
    if (at(chunk, {"choices"}).as_array().empty()) continue;
    if (const Json* content = at(chunk, {"choices", "0", "delta"}).find("content")) text += content->as_string();
  }
  return text;
}

TEST(ChatCompletions, AnswersInOpenAisShape) {
  const HttpAnswer answer = server().post(kPath, request(""));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json json = answer.json();
  EXPECT_TRUE(at(json, {"id"}).as_string().starts_with("chatcmpl-"));
  EXPECT_EQ(at(json, {"object"}).as_string(), "chat.completion");
  EXPECT_EQ(at(json, {"model"}).as_string(), "tiny");
  EXPECT_EQ(at(json, {"choices", "0", "message", "role"}).as_string(), "assistant");
  EXPECT_EQ(at(json, {"choices", "0", "finish_reason"}).as_string(), "length");
  EXPECT_EQ(at(json, {"usage", "completion_tokens"}).as_int(), 12);
  EXPECT_EQ(at(json, {"usage", "total_tokens"}).as_int(), 12 + at(json, {"usage", "prompt_tokens"}).as_int());
}

TEST(ChatCompletions, StreamsTheSameText) {
  const Json whole = server().post(kPath, request("")).json();
  const HttpAnswer answer = server().post(kPath, request(R"(, "stream": true, "stream_options": {"include_usage": true})"));
  EXPECT_NE(answer.head.find("Content-Type: text/event-stream"), std::string::npos) << answer.head;
  const auto chunks = events(answer.body);
  ASSERT_GE(chunks.size(), 3u);
  EXPECT_EQ(at(chunks.front(), {"choices", "0", "delta", "role"}).as_string(), "assistant");
  EXPECT_EQ(streamed_text(chunks), at(whole, {"choices", "0", "message", "content"}).as_string());
  EXPECT_EQ(at(chunks[chunks.size() - 2], {"choices", "0", "finish_reason"}).as_string(), "length");
  EXPECT_TRUE(at(chunks.back(), {"choices"}).as_array().empty());
  EXPECT_EQ(at(chunks.back(), {"usage", "completion_tokens"}).as_int(), 12);
}

TEST(ChatCompletions, SaysTheSameWhateverElseRuns) {
  const std::string alone = at(server().post(kPath, request("")).json(), {"choices", "0", "message", "content"}).as_string();
  std::vector<std::future<std::string>> crowd;
  for (int i = 0; i < 12; ++i) {
    crowd.push_back(std::async(std::launch::async, [i] {
      const std::string body =
          i % 3 == 0 ? request("") : request(R"(, "temperature": 1.5)", std::string(static_cast<size_t>(10 + 7 * i), 'x'));
      return at(server().post(kPath, body).json(), {"choices", "0", "message", "content"}).as_string();
    }));
  }
  for (int i = 0; i < 12; ++i) {
    const std::string text = crowd[static_cast<size_t>(i)].get();
    if (i % 3 == 0) {
      EXPECT_EQ(text, alone);
    }
  }
}

TEST(ChatCompletions, ChoicesDifferAndTheFirstIsThatOfOne) {
  const Json one = server().post(kPath, request(R"(, "temperature": 2)")).json();
  const Json three = server().post(kPath, request(R"(, "temperature": 2, "n": 3)")).json();
  ASSERT_EQ(at(three, {"choices"}).as_array().size(), 3u);
  EXPECT_EQ(at(three, {"choices", "0", "message"}), at(one, {"choices", "0", "message"}));
  EXPECT_NE(at(three, {"choices", "1", "message", "content"}), at(three, {"choices", "2", "message", "content"}));
}

TEST(ChatCompletions, ReportsLogprobsOfEveryToken) {
  const Json json = server().post(kPath, request(R"(, "logprobs": true, "top_logprobs": 3, "temperature": 0)")).json();
  const auto& tokens = at(json, {"choices", "0", "logprobs", "content"}).as_array();
  ASSERT_EQ(tokens.size(), 12u);
  std::string text;
  for (const Json& token : tokens) {
    EXPECT_LE(at(token, {"logprob"}).as_double(), 0);
    ASSERT_EQ(at(token, {"top_logprobs"}).as_array().size(), 3u);
    EXPECT_EQ(at(token, {"top_logprobs", "0", "logprob"}), at(token, {"logprob"}));  // greedy: the likeliest was taken
    for (const Json& byte : at(token, {"bytes"}).as_array()) text += static_cast<char>(byte.as_int());
  }
  const auto chunks =
      events(server().post(kPath, request(R"(, "logprobs": true, "top_logprobs": 3, "temperature": 0, "stream": true)")).body);
  size_t num_streamed = 0;
  for (const Json& chunk : chunks) {
    const Json& logprobs = at(chunk, {"choices", "0", "logprobs"});
    if (!logprobs.is_null()) num_streamed += at(logprobs, {"content"}).as_array().size();
  }
  EXPECT_EQ(num_streamed, 12u);
}

TEST(ChatCompletions, HoldsTheAnswerToASchema) {
  const std::string format =
      R"(, "max_tokens": 100, "temperature": 1, "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema":
      {"type": "object", "properties": {"a": {"enum": ["x", "yy"]}, "b": {"type": "boolean"}}, "required": ["a", "b"]}}})";
  const Json json = server().post(kPath, request(format)).json();
  ASSERT_EQ(at(json, {"choices", "0", "finish_reason"}).as_string(), "stop");
  const auto document = Json::parse(at(json, {"choices", "0", "message", "content"}).as_string(), "content");
  ASSERT_TRUE(document.ok()) << json.dump();
  EXPECT_TRUE(at(*document, {"b"}).is_bool());
  const HttpAnswer refused =
      server().post(kPath, request(R"(, "response_format": {"type": "json_schema", "json_schema": {"schema": {"not": {}}}})"));
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(at(refused.json(), {"error", "param"}).as_string(), "response_format");
}

TEST(ChatCompletions, RefusesByName) {
  struct Case {
    std::string more, param;
  };
  for (const auto& [more, param] :
       std::initializer_list<Case>{{R"(, "temperature": "hot")", "temperature"},
                                   {R"(, "n": 0)", "n"},
                                   {R"(, "top_p": 2)", "top_p"},
                                   {R"(, "stop": [1])", "stop[0]"},
                                   {R"(, "top_logprobs": 5)", "top_logprobs"},
                                   {R"(, "stream": 1)", "stream"},
                                   {R"(, "messages": [])", "messages"},
                                   {R"(, "messages": [{"role": "emperor", "content": "x"}])", "messages[0].role"},
                                   {R"(, "messages": [{"role": "user", "content": [{"type": "image_url"}]}])", "messages"}}) {
    const HttpAnswer answer = server().post(kPath, request(more));
    EXPECT_EQ(answer.status, 400) << more;
    const Json json = answer.json();
    EXPECT_EQ(at(json, {"error", "param"}), Json(param)) << answer.body;
    EXPECT_EQ(at(json, {"error", "type"}).as_string(), "invalid_request_error");
  }
  EXPECT_EQ(server().post(kPath, request(R"(, "no_such_field": 1, "temperature": null)")).status, 200);
}

TEST(ChatCompletions, NamesBothNumbersWhereThePromptIsTooLong) {
  const HttpAnswer answer = server().post(kPath, request("", std::string(2000, 'q')));
  EXPECT_EQ(answer.status, 400);
  const Json json = answer.json();
  EXPECT_EQ(at(json, {"error", "code"}).as_string(), "context_length_exceeded");
  const std::string message = at(json, {"error", "message"}).as_string();
  EXPECT_NE(message.find("256"), std::string::npos) << message;
}

TEST(ChatCompletions, GoesOnWithTheLastMessage) {
  const std::string messages =
      R"("messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Well,"}], "continue_final_message": true)";
  const HttpAnswer prompt = server().post("/apply-template", "{" + messages + "}");
  EXPECT_TRUE(at(prompt.json(), {"prompt"}).as_string().ends_with("Well,")) << prompt.body;
  EXPECT_EQ(server().post(kPath, "{" + messages + R"(, "max_tokens": 2})").status, 200);
  const HttpAnswer empty = server().post(kPath, R"({"messages": [{"role": "assistant", "content": ""}], "continue_final_message": true})");
  EXPECT_EQ(empty.status, 400) << empty.body;
}

TEST(ChatCompletions, UnknownModelsAre404) {
  const HttpAnswer answer = server().post(kPath, R"({"model": "gpt-9", "messages": [{"role": "user", "content": "x"}]})");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(at(answer.json(), {"error", "code"}).as_string(), "model_not_found");
}

TEST(ChatCompletions, AClientThatLeavesIsNotWorkedFor) {
  for (const char* more : {R"(, "stream": true, "max_tokens": 200)", R"(, "max_tokens": 200)"}) {
    HttpClient client(server().port());
    client.send_post(kPath, request(more, "a story"));
    if (std::string(more).find("stream") != std::string::npos) client.read_until("data: ");
    client.close();
    EXPECT_TRUE(server().becomes_idle());
  }
  const auto metrics = server().engines().metrics();
  EXPECT_GE(metrics[0].engine.requests, 2);
}

TEST(ChatCompletions, TwoRequestsOnOneConnection) {
  HttpClient client(server().port());
  const HttpAnswer first = client.post(kPath, request(""));
  const HttpAnswer second = client.post(kPath, request(R"(, "stream": true)"));
  const HttpAnswer third = client.get("/health");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(third.status, 200);
}

TEST(ChatCompletions, AFullQueueIs429) {
  TestServer small({.max_sequences = 1, .max_queue = 1});
  std::promise<void> release;
  std::vector<generate::Request> requests(2);
  for (generate::Request& held : requests) {
    held.prompt = {5, 6, 7};
    held.options.max_tokens = 1;
    held.hooks.on_finish = [](const auto&) {};
  }
  const auto job = std::make_shared<Job>(*small.engines().find("tiny"), requests);
  job->on_start = [&] { release.get_future().wait(); };
  ASSERT_EQ(small.engines().submit(job), Admission::kAccepted);
  const HttpAnswer refused = small.post(kPath, request(""));
  release.set_value();
  EXPECT_EQ(refused.status, 429);
  EXPECT_NE(refused.head.find("Retry-After: "), std::string::npos);
  EXPECT_TRUE(small.becomes_idle());
  EXPECT_EQ(small.post(kPath, request("")).status, 200);
}

}  // namespace
}  // namespace atelier::serve
