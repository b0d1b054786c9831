#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/json_at.h"
#include "tests/support/test_server.h"

namespace atelier::serve {
namespace {

using testing::at;
using testing::HttpAnswer;

TestServer& server() {
  static TestServer instance;
  return instance;
}

HttpAnswer complete(const std::string& members) { return server().post("/v1/completions", "{\"seed\": 3, " + members + "}"); }
Json answer_of(const std::string& members) {
  const HttpAnswer answer = complete(members);
  EXPECT_EQ(answer.status, 200) << members << answer.body;
  return answer.json();
}

TEST(Completions, TextsAndTheirTokensAreTheSamePrompt) {
  const Json ids = at(server().post("/tokenize", R"({"content": "once upon", "add_special": true})").json(), {"tokens"});
  const Json of_text = answer_of(R"("prompt": "once upon", "max_tokens": 8, "temperature": 0)");
  const Json of_ids = answer_of(R"("prompt": )" + ids.dump() + R"(, "max_tokens": 8, "temperature": 0)");
  EXPECT_EQ(at(of_text, {"choices"}), at(of_ids, {"choices"}));
  const Json several = answer_of(R"("prompt": ["a", "once upon"], "max_tokens": 8, "temperature": 0, "n": 2)");
  ASSERT_EQ(at(several, {"choices"}).as_array().size(), 4u);
  EXPECT_EQ(at(several, {"choices", "2", "text"}), at(of_text, {"choices", "0", "text"}));
  EXPECT_EQ(at(several, {"choices", "3", "index"}).as_int(), 3);
  EXPECT_EQ(at(answer_of(R"("prompt": "x")"), {"usage", "completion_tokens"}).as_int(), 16);  // OpenAI's default
}

TEST(Completions, EchoScoresThePrompt) {
  const Json json = answer_of(R"("prompt": "once upon a time", "max_tokens": 0, "echo": true, "logprobs": 2)");
  EXPECT_EQ(at(json, {"choices", "0", "text"}).as_string(), "once upon a time");
  const Json& logprobs = at(json, {"choices", "0", "logprobs"});
  const size_t count = at(logprobs, {"tokens"}).as_array().size();
  EXPECT_EQ(static_cast<int64_t>(count), at(json, {"usage", "prompt_tokens"}).as_int());
  std::string text;
  for (const Json& token : at(logprobs, {"tokens"}).as_array()) text += token.as_string();
  EXPECT_EQ(text, "once upon a time");
  EXPECT_TRUE(at(logprobs, {"token_logprobs", "0"}).is_null());
  EXPECT_TRUE(at(logprobs, {"top_logprobs", "0"}).is_null());
  for (size_t i = 1; i < count; ++i) {
    EXPECT_LE(at(logprobs, {"token_logprobs"}).as_array()[i].as_double(), 0);
    const size_t num_top = at(logprobs, {"top_logprobs"}).as_array()[i].as_object().size();
    EXPECT_TRUE(num_top == 1 || num_top == 2) << num_top;  // parts of characters read alike
    EXPECT_EQ(at(logprobs, {"text_offset"}).as_array()[i].as_int(),
              at(logprobs, {"text_offset"}).as_array()[i - 1].as_int() +
                  static_cast<int64_t>(at(logprobs, {"tokens"}).as_array()[i - 1].as_string().size()));
  }
}

TEST(Completions, AStreamHasWhatTheWholeHas) {
  const std::string members = R"("prompt": "once", "max_tokens": 9, "echo": true, "logprobs": 1)";
  const Json whole = answer_of(members);
  const HttpAnswer stream = complete(members + R"(, "stream": true)");
  std::string text, body = stream.body;
  Json::Array tokens;
  for (size_t begin = 0, end; (end = body.find("\n\n", begin)) != std::string::npos && body.compare(begin, 12, "data: [DONE]") != 0;
       begin = end + 2) {
    const Json chunk = Json::parse(body.substr(begin + 6, end - begin - 6), "chunk").value();
    text += at(chunk, {"choices", "0", "text"}).as_string();
    for (const Json& token : at(chunk, {"choices", "0", "logprobs", "tokens"}).as_array()) tokens.push_back(token);
  }
  EXPECT_TRUE(body.ends_with("data: [DONE]\n\n"));
  EXPECT_EQ(text, at(whole, {"choices", "0", "text"}).as_string());
  EXPECT_EQ(tokens, at(whole, {"choices", "0", "logprobs", "tokens"}).as_array());
}

TEST(Completions, BestOfKeepsTheLikeliest) {
  const std::string members = R"("prompt": "once", "max_tokens": 6, "temperature": 1.5, "logprobs": 0, )";
  const auto mean = [](const Json& choice) {
    double sum = 0;
    const auto& logprobs = at(choice, {"logprobs", "token_logprobs"}).as_array();
    for (const Json& logprob : logprobs) sum += logprob.as_double();
    return sum / static_cast<double>(logprobs.size());
  };
  const Json all = answer_of(members + R"("n": 5)"), best = answer_of(members + R"("n": 1, "best_of": 5)");
  double best_mean = -INFINITY;
  for (const Json& choice : at(all, {"choices"}).as_array()) best_mean = std::max(best_mean, mean(choice));
  ASSERT_EQ(at(best, {"choices"}).as_array().size(), 1u);
  EXPECT_EQ(mean(at(best, {"choices", "0"})), best_mean);
}

TEST(Completions, RefusesByName) {
  for (const auto& [members, param] :
       std::initializer_list<std::pair<const char*, const char*>>{{R"("prompt": 3)", "prompt"},
                                                                  {R"("prompt": [[]])", "prompt[0]"},
                                                                  {R"("prompt": [[1, "x"]])", "prompt[0][1]"},
                                                                  {R"("prompt": [1, 99999])", ""},
                                                                  {R"("prompt": "")", "prompt"},
                                                                  {R"("prompt": "x", "suffix": "y")", "suffix"},
                                                                  {R"("prompt": "x", "n": 3, "best_of": 2)", "best_of"},
                                                                  {R"("prompt": "x", "best_of": 2, "stream": true)", "best_of"},
                                                                  {R"("prompt": "x", "logprobs": true)", "logprobs"},
                                                                  {R"("prompt": "x", "choice": ["a"], "regex": "b")", "response_format"},
                                                                  {R"("prompt": "x", "logit_bias": {"a": 1})", ""}}) {
    const HttpAnswer answer = complete(members);
    EXPECT_EQ(answer.status, 400) << members;
    const Json& got = at(answer.json(), {"error", "param"});
    if (*param != '\0') {
      EXPECT_EQ(got, Json(param)) << members << answer.body;
    }
  }
}

TEST(Tokenize, PiecesAndBack) {
  const Json json = server().post("/tokenize", R"({"content": "héllo\n", "with_pieces": true})").json();
  std::string bytes;
  Json ids = Json::array();
  for (const Json& token : at(json, {"tokens"}).as_array()) {
    ids.push_back(at(token, {"id"}));
    const Json& piece = at(token, {"piece"});
    if (piece.is_string()) bytes += piece.as_string();
    for (const Json& byte : piece.is_array() ? piece.as_array() : Json::Array{}) bytes += static_cast<char>(byte.as_int());
  }
  EXPECT_EQ(bytes, "héllo\n");
  EXPECT_EQ(at(server().post("/detokenize", Json::object().set("tokens", ids).dump()).json(), {"content"}).as_string(), "héllo\n");
  EXPECT_EQ(server().post("/detokenize", R"({"tokens": [-1]})").status, 400);
  EXPECT_EQ(server().post("/detokenize", R"({"tokens": [100000]})").status, 400);
}

TEST(Inspect, ShowsWhatTraceShows) {
  const Json json = server().post("/v1/inspect", R"({"prompt": "once upon", "what": "attention", "layers": [0], "heads": [1]})").json();
  const size_t length = at(json, {"ids"}).as_array().size();
  const auto& rows = at(json, {"attention", "values", "0", "0"}).as_array();
  ASSERT_EQ(rows.size(), length);
  double sum = 0;
  for (const Json& weight : rows.back().as_array()) sum += weight.as_double();
  EXPECT_NEAR(sum, 1, 1e-5);
  EXPECT_EQ(server().post("/v1/inspect", R"({"prompt": "x", "layers": [99]})").status, 400);
  EXPECT_EQ(server().post("/v1/inspect", R"({"what": "lens"})").status, 400);
  EXPECT_EQ(server().post("/v1/inspect", R"({"ids": [100000]})").status, 400);
  EXPECT_EQ(server().post("/v1/inspect", "{\"prompt\": \"" + std::string(3000, 'q') + "\"}").status, 400);
}

TEST(Metrics, CountWhatWasDone) {
  answer_of(R"("prompt": "x", "max_tokens": 3)");
  const HttpAnswer answer = server().get("/metrics");
  EXPECT_NE(answer.head.find("text/plain; version=0.0.4"), std::string::npos);
  const size_t at_tokens = answer.body.find("\nllamacpp:tokens_predicted_total{model=\"tiny\"} ");
  ASSERT_NE(at_tokens, std::string::npos) << answer.body;
  EXPECT_GE(std::atoi(answer.body.c_str() + answer.body.find('}', at_tokens) + 2), 2);
  EXPECT_NE(answer.body.find("process_resident_memory_bytes "), std::string::npos);
}

TEST(Playground, IsServedWithAPolicy) {
  const HttpAnswer page = server().get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_TRUE(page.body.starts_with("<!doctype html>"));
  EXPECT_NE(page.head.find("frame-ancestors 'none'"), std::string::npos);
}

}  // namespace
}  // namespace atelier::serve
