#include <gtest/gtest.h>

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

std::vector<Json> lines(const std::string& body) {
  std::vector<Json> all;
  for (size_t begin = 0, end; (end = body.find('\n', begin)) != std::string::npos; begin = end + 1) {
    all.push_back(Json::parse(body.substr(begin, end - begin), "line").value());
  }
  return all;
}

TEST(Ollama, StreamsLinesUnlessToldNotTo) {
  const std::string members =
      R"({"model": "tiny:latest", "messages": [{"role": "user", "content": "Hi"}], "options": {"num_predict": 9, "seed": 4})";
  const HttpAnswer stream = server().post("/api/chat", members + "}");
  EXPECT_NE(stream.head.find("application/x-ndjson"), std::string::npos);
  const auto all = lines(stream.body);
  ASSERT_GE(all.size(), 2u);
  std::string text;
  for (const Json& line : all) text += at(line, {"message", "content"}).as_string();
  EXPECT_FALSE(at(all.front(), {"done"}).as_bool());
  EXPECT_TRUE(at(all.back(), {"done"}).as_bool());
  EXPECT_EQ(at(all.back(), {"eval_count"}).as_int(), 9);
  EXPECT_EQ(at(all.back(), {"done_reason"}).as_string(), "length");
  const Json whole = server().post("/api/chat", members + R"(, "stream": false})").json();
  EXPECT_EQ(at(whole, {"message", "content"}).as_string(), text);
}

TEST(Ollama, GeneratesFromTheTextItselfWhenRaw) {
  const auto answer = [](const std::string& more) {
    return server()
        .post("/api/generate",
              R"({"model": "tiny", "prompt": "once", "stream": false, "options": {"num_predict": 5, "temperature": 0})" + more + "}")
        .json();
  };
  const Json raw = answer(R"(, "raw": true)");
  const Json same = server().post("/v1/completions", R"({"prompt": "once", "max_tokens": 5, "temperature": 0})").json();
  EXPECT_EQ(at(raw, {"response"}), at(same, {"choices", "0", "text"}));
  EXPECT_GT(at(answer(R"(, "system": "Be brief.")"), {"prompt_eval_count"}).as_int(), at(raw, {"prompt_eval_count"}).as_int());
}

TEST(Ollama, HoldsTheAnswerToAFormat) {
  const Json json =
      server()
          .post("/api/chat",
                R"({"model": "tiny", "stream": false, "messages": [{"role": "user", "content": "x"}], "options": {"num_predict": 60},
      "format": {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}})")
          .json();
  EXPECT_TRUE(Json::parse(at(json, {"message", "content"}).as_string(), "content").ok()) << json.dump();
}

TEST(Ollama, ErrorsAreItsOwn) {
  const HttpAnswer unknown = server().post("/api/chat", R"({"model": "none", "messages": [{"role": "user", "content": "x"}]})");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_TRUE(at(unknown.json(), {"error"}).is_string());
  EXPECT_EQ(server().post("/api/generate", R"({"model": "tiny", "prompt": 3})").status, 400);
  const HttpAnswer context = server().post("/api/generate", R"({"model": "tiny", "prompt": "x", "options": {"num_ctx": 4096}})");
  EXPECT_EQ(context.status, 400) << "the context is 256 and must not be cut in silence";
}

TEST(Ollama, DescribesItsModels) {
  EXPECT_EQ(at(server().get("/api/tags").json(), {"models", "0", "name"}).as_string(), "tiny");
  EXPECT_EQ(at(server().get("/api/ps").json(), {"models", "0", "context_length"}).as_int(), 256);
  EXPECT_EQ(at(server().post("/api/show", R"({"model": "tiny"})").json(), {"model_info", "llama.context_length"}).as_int(), 256);
  EXPECT_TRUE(at(server().get("/api/version").json(), {"version"}).is_string());
}

TEST(OllamaEmbeddings, KnowsNoDimensions) {
  EXPECT_EQ(server().post("/api/embeddings", R"({"model": "tiny", "prompt": "x", "dimensions": "many"})").status, 200);
  EXPECT_EQ(server().post("/v1/rerank", R"({"model": "tiny", "query": "x", "documents": ["y"], "dimensions": "many"})").status, 200);
}

TEST(OllamaGenerate, TakesNoMembersOfOtherEndpoints) {
  for (const std::string more : {R"("tools": [1])", R"("truncate": "x")", R"("messages": 3)"}) {
    const HttpAnswer answer =
        server().post("/api/generate", R"({"model": "tiny", "prompt": "x", "stream": false, "options": {"num_predict": 1}, )" + more + "}");
    EXPECT_EQ(answer.status, 200) << more << ": " << answer.body;
  }
  EXPECT_EQ(server().post("/api/generate", R"({"model": "tiny", "prompt": "x", "lora": false})").status, 400);
}

}  // namespace
}  // namespace atelier::serve
