#include "atelier/serve/service.h"

#include <gtest/gtest.h>

#include "tests/support/test_server.h"

namespace atelier::serve {
namespace {

using testing::HttpClient;

TEST(Service, KnowsItsCallersByTheirKey) {
  ServiceOptions options;
  ASSERT_TRUE(options.keys.add("0123456789abcdef-one").ok());
  ASSERT_TRUE(options.keys.add("0123456789abcdef-two").ok());
  TestServer server({.service = std::move(options)});
  EXPECT_EQ(server.get("/health").status, 200);  // open
  EXPECT_EQ(server.get("/v1/models").status, 401);
  EXPECT_EQ(server.get("/v1/models", "Authorization: Bearer 0123456789abcdef-one\r\n").status, 200);
  EXPECT_EQ(server.get("/v1/models", "authorization: bearer 0123456789abcdef-two\r\n").status, 200);
  EXPECT_EQ(server.get("/v1/models", "X-Api-Key: 0123456789abcdef-two\r\n").status, 200);
  EXPECT_EQ(server.get("/v1/models", "Authorization: Bearer 0123456789abcdef-on\r\n").status, 401);
  EXPECT_EQ(server.get("/v1/models", "Authorization: Basic 0123456789abcdef-one\r\n").status, 401);
  EXPECT_EQ(server.get("/v1/models", "Authorization: \r\n").status, 401);
  // Refused before the body is read: 5 MB are announced and none is sent.
  HttpClient client(server.port());
  client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 401);
}

TEST(Service, AnswersToItsOwnNamesOnly) {
  ServiceOptions options;
  options.hosts = {"models.example"};
  TestServer server({.service = std::move(options)});
  const auto status_for = [&](const std::string& host) {
    HttpClient client(server.port());
    client.send("GET /health HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return client.read_answer().status;
  };
  EXPECT_EQ(status_for("localhost:1234"), 200);
  EXPECT_EQ(status_for("127.0.0.1"), 200);
  EXPECT_EQ(status_for("[::1]:80"), 200);
  EXPECT_EQ(status_for("MODELS.example:80"), 200);
  EXPECT_EQ(status_for("rebound.attacker.example"), 403);
  EXPECT_EQ(status_for("127.0.0.1.attacker.example"), 403);
  EXPECT_EQ(status_for(""), 403);
}

TEST(Service, ForeignPagesMayNotAsk) {
  ServiceOptions options;
  options.origins = {"https://friend.example"};
  TestServer server({.service = std::move(options)});
  const std::string body = R"({"messages": [{"role": "user", "content": "x"}], "max_tokens": 1})";
  EXPECT_EQ(server.post("/v1/chat/completions", body, "Origin: https://evil.example\r\n").status, 403);
  EXPECT_EQ(server.post("/v1/chat/completions", body, "Origin: null\r\n").status, 403);
  EXPECT_EQ(server.post("/v1/chat/completions", body, "Origin: http://localhost\r\n").status, 200);
  const auto friendly = server.post("/v1/chat/completions", body, "Origin: https://friend.example\r\n");
  EXPECT_EQ(friendly.status, 200);
  EXPECT_NE(friendly.head.find("Access-Control-Allow-Origin: https://friend.example"), std::string::npos) << friendly.head;
  HttpClient preflight(server.port());
  preflight.send(
      "OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nOrigin: https://friend.example\r\nAccess-Control-Request-Method: "
      "POST\r\n\r\n");
  const auto allowed = preflight.read_answer();
  EXPECT_EQ(allowed.status, 204);
  EXPECT_NE(allowed.head.find("Access-Control-Allow-Headers: "), std::string::npos) << allowed.head;
  // A form of another site can post text without asking first; it is not taken.
  HttpClient form(server.port());
  form.send("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_EQ(form.read_answer().status, 415);
}

TEST(Service, RefusesWhatIsNoRequest) {
  TestServer server;
  EXPECT_EQ(server.get("/v1/nothing").status, 404);
  EXPECT_EQ(server.get("/v1/models/../../etc/passwd").status, 404);
  EXPECT_EQ(server.get("/v1/models/%2e%2e%2fetc").status, 404);
  EXPECT_EQ(server.get("/v1/chat/completions").status, 405);
  const std::string path = "/v1/chat/completions";
  EXPECT_EQ(server.post(path, "").status, 400);
  EXPECT_EQ(server.post(path, "{").status, 400);
  EXPECT_EQ(server.post(path, "[]").status, 400);
  EXPECT_EQ(server.post(path, "{\"messages\": [{\"role\": \"user\", \"content\": \"\xff\xfe\"}]}").status, 400);
  EXPECT_EQ(server.post(path, std::string(100'000, '[')).status, 400);
  EXPECT_EQ(server.post(path, std::string(9 << 20, ' ')).status, 413);
  EXPECT_EQ(server.get("/health").status, 200);
}

TEST(Service, EveryEndpointIsDescribed) {
  const auto openapi = OpenApi::parse(openapi_text());
  ASSERT_TRUE(openapi.ok());
  const Json& paths = *openapi->document().find("paths");
  size_t num_described = 0;
  for (const auto& [path, operations] : paths.as_object()) num_described += operations.as_object().size();
  EXPECT_EQ(num_described, endpoints().size());
  for (const EndpointDef* endpoint : endpoints()) {
    const Json* operations = paths.find(endpoint->path);
    ASSERT_NE(operations, nullptr) << endpoint->path;
    EXPECT_TRUE(operations->contains(std::string_view(endpoint->method) == "POST"     ? "post"
                                     : std::string_view(endpoint->method) == "DELETE" ? "delete"
                                                                                      : "get"));
    if (std::string_view(endpoint->method) != "POST") continue;
    ASSERT_NE(openapi->body_schema("POST", endpoint->path), nullptr) << endpoint->path;
  }
  for (const auto& [name, schema] : openapi->document().find("components")->find("schemas")->as_object()) {
    const Status status = check_keywords(schema);
    EXPECT_TRUE(status.ok()) << name << ": " << status.message();
  }
}

TEST(Service, WritesALineForEachRequest) {
  std::vector<std::string> lines;
  ServiceOptions options;
  options.access_log = [&](const std::string& line) { lines.push_back(line); };
  {
    TestServer server({.service = std::move(options)});
    server.post("/v1/chat/completions", R"({"messages": [{"role": "user", "content": "secret"}], "max_tokens": 1})");
    server.get("/v1/none");
  }
  ASSERT_EQ(lines.size(), 2u);
  const Json line = Json::parse(lines[0], "line").value();
  EXPECT_EQ(line.find("path")->as_string(), "/v1/chat/completions");
  EXPECT_EQ(line.find("status")->as_int(), 200);
  EXPECT_EQ(lines[0].find("secret"), std::string::npos);
  EXPECT_EQ(Json::parse(lines[1], "line").value().find("status")->as_int(), 404);
}

TEST(Service, WritesWhatRequestsSayWhereThatIsAskedFor) {
  std::vector<std::string> lines;
  ServiceOptions options;
  options.access_log = [&](const std::string& line) { lines.push_back(line); };
  options.logs_bodies = true;
  const std::string body = R"({"messages": [{"role": "user", "content": "secret"}], "max_tokens": 1})";
  {
    TestServer server({.service = std::move(options)});
    server.post("/v1/chat/completions", body);
  }
  ASSERT_EQ(lines.size(), 2u);
  const Json said = Json::parse(lines[0], "line").value(), answered = Json::parse(lines[1], "line").value();
  EXPECT_EQ(said.find("body")->as_string(), body);
  EXPECT_EQ(*said.find("id"), *answered.find("id"));
  EXPECT_EQ(answered.find("status")->as_int(), 200);
}

TEST(ApiKeys, ReadsAFile) {
  const std::string path = ::testing::TempDir() + "/keys.txt";
  const auto write = [&](const std::string& text) {
    std::FILE* file = std::fopen(path.c_str(), "w");
    std::fputs(text.c_str(), file);
    std::fclose(file);
    return ApiKeys::read(path);
  };
  const auto keys = write("# ours\n\n  0123456789abcdef \nfedcba9876543210\n");
  ASSERT_TRUE(keys.ok()) << keys.status().message();
  EXPECT_TRUE(keys->scope_of("0123456789abcdef").has_value());
  EXPECT_NE(keys->scope_of("0123456789abcdef"), keys->scope_of("fedcba9876543210"));
  EXPECT_FALSE(keys->scope_of("# ours").has_value());
  EXPECT_FALSE(keys->scope_of("").has_value());
  EXPECT_FALSE(write("short\n").ok());
  EXPECT_FALSE(write("# nothing\n").ok());
}

}  // namespace
}  // namespace atelier::serve
