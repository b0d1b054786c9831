// Vectors, ranks, labels and masks over HTTP.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "tests/support/encoder_folder.h"
#include "tests/support/json_at.h"
#include "tests/support/test_server.h"

namespace atelier::serve {
namespace {

using testing::at;
using testing::EncoderFolder;
using testing::HttpAnswer;

TestServer& decoder() {
  static TestServer instance;
  return instance;
}

std::vector<double> numbers(const Json& array) {
  std::vector<double> out;
  for (const Json& number : array.as_array()) out.push_back(number.as_double());
  return out;
}

std::vector<float> from_base64(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<uint32_t>(digits.find(c));
    if ((count += 6) >= 8) bytes += static_cast<char>(bits >> (count -= 8) & 255);
  }
  std::vector<float> out(bytes.size() / 4);
  std::memcpy(out.data(), bytes.data(), out.size() * 4);
  return out;
}

TEST(Embeddings, OfADecoderAreTheSameInEveryForm) {
  const auto embed = [](const std::string& members) {
    const HttpAnswer answer = decoder().post("/v1/embeddings", "{" + members + "}");
    EXPECT_EQ(answer.status, 200) << members << answer.body;
    return answer.json();
  };
  const Json one = embed(R"("input": "once upon a time")");
  const auto vector = numbers(at(one, {"data", "0", "embedding"}));
  ASSERT_GE(vector.size(), 8u);
  EXPECT_GT(at(one, {"usage", "prompt_tokens"}).as_int(), 0);
  EXPECT_EQ(at(one, {"data", "0", "object"}).as_string(), "embedding");
  const Json several = embed(R"("input": ["another text", "once upon a time", "x"])");
  EXPECT_EQ(at(several, {"data", "1", "embedding"}), at(one, {"data", "0", "embedding"})) << "a vector has the bits that it has alone";
  const auto decoded =
      from_base64(at(embed(R"("input": "once upon a time", "encoding_format": "base64")"), {"data", "0", "embedding"}).as_string());
  ASSERT_EQ(decoded.size(), vector.size());
  for (size_t i = 0; i < vector.size(); ++i) EXPECT_EQ(decoded[i], static_cast<float>(vector[i]));
  const Json ids = at(decoder().post("/tokenize", R"({"content": "once upon a time", "add_special": true})").json(), {"tokens"});
  EXPECT_EQ(at(embed("\"input\": " + ids.dump()), {"data", "0", "embedding"}), at(one, {"data", "0", "embedding"}));
  EXPECT_EQ(at(embed("\"input\": [" + ids.dump() + ", [1, 2]]"), {"data"}).as_array().size(), 2u);
  EXPECT_EQ(numbers(at(embed(R"("input": "x", "dimensions": 3)"), {"data", "0", "embedding"})).size(), 3u);
  const Json ollama = decoder().post("/api/embed", R"({"model": "tiny", "input": ["once upon a time"]})").json();
  EXPECT_EQ(at(ollama, {"embeddings", "0"}), at(one, {"data", "0", "embedding"}));
  EXPECT_EQ(at(decoder().post("/api/embeddings", R"({"model": "tiny", "prompt": "once upon a time"})").json(), {"embedding"}),
            at(one, {"data", "0", "embedding"}));
}

TEST(Embeddings, AreRefusedByName) {
  for (const auto& [members, param] :
       std::initializer_list<std::pair<const char*, const char*>>{{R"("input": [])", "input"},
                                                                  {R"("input": "")", ""},
                                                                  {R"("input": [1, 100000])", "input"},
                                                                  {R"("input": [[1], []])", "input[1]"},
                                                                  {R"("input": ["a", 1])", "input[1]"},
                                                                  {R"("input": "x", "dimensions": 99999)", "dimensions"},
                                                                  {R"("input": "x", "encoding_format": "int4")", "encoding_format"}}) {
    const HttpAnswer answer = decoder().post("/v1/embeddings", std::string("{") + members + "}");
    if (*param == '\0') continue;
    EXPECT_EQ(answer.status, 400) << members;
    EXPECT_EQ(at(answer.json(), {"error", "param"}), Json(param)) << answer.body;
  }
}

TEST(Embeddings, AreCutOnRequestOnly) {
  const std::string text = R"({"input": ")" + std::string(3000, 'q') + "\"";
  const HttpAnswer refused = decoder().post("/v1/embeddings", text + "}");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(at(refused.json(), {"error", "code"}).as_string(), "context_length_exceeded");
  EXPECT_NE(at(refused.json(), {"error", "message"}).as_string().find("256"), std::string::npos);
  const HttpAnswer cut = decoder().post("/v1/embeddings", text + R"(, "truncate": true})");
  ASSERT_EQ(cut.status, 200) << cut.body;
  EXPECT_EQ(at(cut.json(), {"truncated"}).as_int(), 1);
}

TEST(Rerank, OrdersByCosine) {
  const Json json = decoder()
                        .post("/v1/rerank", R"({"query": "once upon", "documents": ["zzz", "once upon", {"text": "12"}], "top_n": 2,
                                                      "return_documents": true})")
                        .json();
  ASSERT_EQ(at(json, {"results"}).as_array().size(), 2u);
  EXPECT_EQ(at(json, {"results", "0", "index"}).as_int(), 1);
  EXPECT_NEAR(at(json, {"results", "0", "relevance_score"}).as_double(), 1, 1e-5);
  EXPECT_EQ(at(json, {"results", "0", "document", "text"}).as_string(), "once upon");
}

TEST(Rerank, OfACrossEncoderIsTheSigmoidOfItsLogit) {
  const EncoderFolder folder("bert-regression");
  TestServer server({.model = folder.path()});
  const HttpAnswer answer = server.post("/v1/rerank", R"({"query": "w1 w2", "documents": ["w3", "w4 w5 w6"]})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json json = answer.json();
  const double best = at(json, {"results", "0", "relevance_score"}).as_double(),
               other = at(json, {"results", "1", "relevance_score"}).as_double();
  EXPECT_GE(best, other);
  const HttpAnswer labels = server.post("/v1/classify", R"({"input": [["w1 w2", "w3"], ["w1 w2", "w4 w5 w6"]]})");
  ASSERT_EQ(labels.status, 200) << labels.body;
  const auto index = static_cast<size_t>(at(json, {"results", "0", "index"}).as_int());
  const double logit = at(labels.json(), {"data"}).as_array()[index].find("probs")->as_array()[0].as_double();
  EXPECT_NEAR(best, 1 / (1 + std::exp(-logit)), 1e-6);
  EXPECT_TRUE(at(labels.json(), {"data", "0", "label"}).is_null()) << "numbers are no labels";
}

TEST(Classify, GivesLabelsOfTextsAndPairs) {
  const EncoderFolder folder("bert-sequence");
  TestServer server({.model = folder.path()});
  const HttpAnswer answer = server.post("/v1/classify", R"({"input": ["w1 w2", ["w1", "w3"]]})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json json = answer.json();
  for (const Json& one : at(json, {"data"}).as_array()) {
    double sum = 0, best = 0;
    for (const double p : numbers(at(one, {"probs"}))) {
      sum += p;
      best = std::max(best, p);
    }
    EXPECT_NEAR(sum, 1, 1e-6);
    EXPECT_EQ(one.find("values")->find(at(one, {"label"}).as_string())->as_double(), best);
  }
  EXPECT_EQ(server.post("/v1/classify", R"({"input": [["one"]]})").status, 400);
  EXPECT_EQ(server.post("/v1/rerank", R"({"query": "w1", "documents": ["w2"]})").status, 400) << "three labels rank nothing";
  EXPECT_EQ(decoder().post("/v1/classify", R"({"input": "x"})").status, 400);
  const HttpAnswer chat = server.post("/v1/completions", R"({"prompt": "w1"})");
  EXPECT_EQ(chat.status, 400);
  EXPECT_EQ(at(chat.json(), {"error", "code"}).as_string(), "model_not_supported");
  EXPECT_EQ(server.get("/v1/models").status, 200);
  EXPECT_EQ(server.get("/metrics").status, 200);
  EXPECT_EQ(server.get("/api/ps").status, 200);
}

TEST(Fill, FindsTheLikeliestTokens) {
  const EncoderFolder folder("bert-masked");
  TestServer server({.model = folder.path()});
  const HttpAnswer answer = server.post("/v1/fill", R"({"text": "w1 <mask> w2 [MASK]", "top": 3})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json json = answer.json();
  ASSERT_EQ(at(json, {"masks"}).as_array().size(), 2u);
  const Json& tokens = at(json, {"masks", "0", "tokens"});
  ASSERT_EQ(tokens.as_array().size(), 3u);
  EXPECT_GE(at(tokens, {"0", "probability"}).as_double(), at(tokens, {"1", "probability"}).as_double());
  EXPECT_EQ(at(server.get("/v1/models").json(), {"data", "0", "tasks"}).dump(), R"(["embed", "fill"])");
  EXPECT_EQ(at(decoder().get("/v1/models").json(), {"data", "0", "tasks"}).dump(), R"(["generate", "embed"])");
  EXPECT_EQ(server.post("/v1/fill", R"({"text": "no place"})").status, 400);
  EXPECT_EQ(decoder().post("/v1/fill", R"({"text": "<mask>"})").status, 400);
}

}  // namespace
}  // namespace atelier::serve
