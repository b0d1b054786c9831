// What a hostile client may try (docs/security.md): each is refused by a clear answer or cut off, and the service goes on.
//
// The number of fuzzed requests is $ATELIER_ATTACKS, 300 where it is not set; `make soak` runs 10,000 under sanitizers.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <set>

#include "atelier/base/rng.h"
#include "tests/support/json_at.h"
#include "tests/support/test_server.h"

namespace atelier::serve {
namespace {

using testing::HttpAnswer;
using testing::HttpClient;

double seconds_of(const std::function<void()>& run) {
  const auto begin = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

TEST(Attack, ASlowLorisHoldsUpNobody) {
  TestServer server({.http = {.header_s = 1}});
  std::vector<std::unique_ptr<HttpClient>> slow;
  for (int i = 0; i < 200; ++i) {
    slow.push_back(std::make_unique<HttpClient>(server.port()));
    slow.back()->send("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nX-");
  }
  EXPECT_EQ(server.get("/health").status, 200);
  EXPECT_EQ(server.post("/v1/completions", R"({"prompt": "once", "max_tokens": 2})").status, 200);
  // A byte now and then does not make the header any younger.
  std::atomic<bool> is_over{false};
  std::thread dripping([&] {
    while (!is_over && slow[0]->send("a")) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  });
  EXPECT_EQ(slow[1]->read_answer().status, 408);
  EXPECT_EQ(slow[0]->read_answer().status, 408);
  is_over = true;
  dripping.join();
}

TEST(Attack, FloodsOfHeadersAndBodiesAreCutOff) {
  TestServer server({.http = {.body_s = 1}});
  const auto status_of = [&](const std::string& bytes) {
    HttpClient client(server.port());
    client.send(bytes);
    return client.read_answer().status;
  };
  std::string many = "GET /health HTTP/1.1\r\nHost: localhost\r\n";
  for (int i = 0; i < 10'000; ++i) many += "A" + std::to_string(i) + ": b\r\n";
  EXPECT_EQ(status_of(many + "\r\n"), 431);
  EXPECT_EQ(status_of("GET /health HTTP/1.1\r\nHost: localhost\r\nCookie: " + std::string(20'000, 'x')), 431);
  EXPECT_EQ(status_of("GET /" + std::string(3000, 'x') + " HTTP/1.1\r\nHost: localhost\r\n\r\n"), 400);
  const std::string post = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
  EXPECT_EQ(status_of(post + "Content-Length: 1000000000000\r\n\r\n"), 413);
  EXPECT_EQ(status_of(post + "Content-Length: 1000\r\n\r\n{\"prompt\": "), 408) << "truncated";
  EXPECT_EQ(status_of(post + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"pro"), 408) << "truncated";
  EXPECT_EQ(status_of(post + "Content-Length: 10\r\nContent-Length: 11\r\n\r\n{}"), 400);
  EXPECT_EQ(status_of("GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"), 400);
  EXPECT_EQ(server.get("/health").status, 200);
}

TEST(Attack, DeepAndBrokenJsonIsA400) {
  TestServer server;
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += R"({"a":)";
  for (const std::string& body :
       {objects, R"({"prompt": )" + std::string(100'000, '[') + std::string(100'000, ']') + "}", std::string("{\"prompt\": \"\xc3\x28\"}"),
        std::string("{\"prompt\": \"\xed\xa0\x80\"}"), std::string(R"({"prompt": "\ud800"})"),
        std::string(R"({"prompt": "x", "max_tokens": 1e999})"), std::string(R"({"prompt": "x", "max_tokens": 99999999999999999999})"),
        std::string(R"({"prompt": "x", "n": 1e9})"), std::string("\0{}", 3)}) {
    const HttpAnswer answer = server.post("/v1/completions", body);
    EXPECT_EQ(answer.status, 400) << body.substr(0, 60);
    EXPECT_FALSE(testing::at(answer.json(), {"error", "message"}).as_string().empty());
  }
}

TEST(Attack, PathTricksLeadNowhere) {
  TestServer server;
  for (const char* path :
       {"/../../etc/passwd", "/v1/models/../../../etc/passwd", "/v1/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "//etc/passwd",
        "/v1/models/..%5c..%5cwindows", "/v1/models/%ff%fe", "/.git/config", "/index.html%00.png", "/v1/models/%25%32%65"}) {
    const int status = server.get(path).status;
    EXPECT_TRUE(status == 404 || status == 400) << path << " " << status;
  }
  HttpClient client(server.port());
  client.send("GET http://169.254.169.254/latest/meta-data HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 400);
}

TEST(Attack, KeysThatAreNoneAreRefused) {
  ServiceOptions options;
  ASSERT_TRUE(options.keys.add("0123456789abcdef-one").ok());
  TestServer server({.service = std::move(options)});
  for (const std::string& value : {std::string(), std::string("Bearer"), std::string("Bearer "), std::string("Bearer 0123456789abcdef-onf"),
                                   "Bearer " + std::string(10'000, 'x'), std::string("Bearer 0123456789abcdef-one extra"),
                                   std::string("Bearer \xff\xfe"), std::string("bearer0123456789abcdef-one")}) {
    EXPECT_EQ(server.get("/v1/models", "Authorization: " + value + "\r\n").status, 401) << value.substr(0, 40);
  }
}

TEST(Attack, GrammarBombsAreRefusedInTime) {
  TestServer server;
  const auto string_of = [](const std::string& text) { return Json(text).dump(); };
  const std::string parentheses = std::string(60'000, '(') + "\"a\"" + std::string(60'000, ')');
  std::string doubling = "root ::= r0\n";
  for (int i = 0; i < 40; ++i) doubling += "r" + std::to_string(i) + " ::= r" + std::to_string(i + 1) + " r" + std::to_string(i + 1) + "\n";
  doubling += "r40 ::= \"a\"\n";
  for (
      const std::string& member :
      {"\"grammar\": " + string_of("root ::= " + parentheses),
       "\"regex\": " + string_of(std::string(60'000, '(') + "a" + std::string(60'000, ')')),
       "\"regex\": " + string_of("((((a{1,1000}){1,1000}){1,1000}){1,1000})"), std::string(R"("regex": "(a|aa)*{1,1000000000}")"),
       std::string(R"("grammar": "root ::= root \"a\" | root")"), std::string(R"("grammar": "root ::= \"a\"{1,1000000000}")"),
       std::string(R"("response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"$ref": "#"}}})"),
       std::string(
           R"("response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "string", "minLength": 1000000000}}})")}) {
    HttpAnswer answer;
    const double seconds =
        seconds_of([&] { answer = server.post("/v1/completions", R"({"prompt": "x", "max_tokens": 2, )" + member + "}"); });
    EXPECT_EQ(answer.status, 400) << member.substr(0, 60) << ": " << answer.body.substr(0, 200);
    EXPECT_LT(seconds, 10) << member.substr(0, 60);
  }
  // Rules that share their parts are no bomb as long as nobody writes them out: refused or answered, in time.
  EXPECT_LT(
      seconds_of([&] { server.post("/v1/completions", R"({"prompt": "x", "max_tokens": 2, "grammar": )" + string_of(doubling) + "}"); }),
      10);
  EXPECT_EQ(server.get("/health").status, 200);
}

// Requests made of the members that openapi.json names, with values that mostly do not fit, for every address; some with bytes changed.
class Fuzzer {
 public:
  explicit Fuzzer(uint64_t seed) : seed_(seed) {
    const auto openapi = OpenApi::parse(openapi_text());
    std::set<std::string> names;
    for (const auto& [schema, definition] : openapi->document().find("components")->find("schemas")->as_object())
      collect(definition, names);
    names_.assign(names.begin(), names.end());
  }

  uint64_t below(uint64_t bound) { return random_bits(seed_, 0, position_++) % bound; }

  // And whether it is whole, so that it will be answered.
  std::pair<std::string, bool> request() {
    const EndpointDef& endpoint = *endpoints()[below(endpoints().size())];
    std::string path = endpoint.path;
    if (const size_t brace = path.find('{'); brace != std::string::npos) path = path.substr(0, brace) + (below(2) == 0 ? "tiny" : "%f0%9f");
    const bool has_body = std::string_view(endpoint.method) != "GET";
    std::string text = std::string(below(20) == 0 ? "DELETE" : endpoint.method) + " " + path + " HTTP/1.1\r\nHost: localhost\r\n";
    if (has_body) {
      const std::string body = make_body().dump();
      text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    } else {
      text += "\r\n";
    }
    if (below(4) != 0) return {text, true};
    for (uint64_t i = 1 + below(4); i > 0; --i) mutate(text);
    return {text, false};
  }

 private:
  static void collect(const Json& schema, std::set<std::string>& names) {
    if (schema.is_array()) {
      for (const Json& part : schema.as_array()) collect(part, names);
    }
    if (!schema.is_object()) return;
    for (const auto& [key, value] : schema.as_object()) {
      if (key == "properties" && value.is_object()) {
        for (const auto& [name, of] : value.as_object()) names.insert(name);
      }
      collect(value, names);
    }
  }

  Json make_body() {
    Json body = Json::object().set("model", "tiny");
    if (below(2) == 0) body.set("prompt", below(2) == 0 ? Json("once") : Json(Json::Array{1, 2, 3}));
    if (below(2) == 0) body.set("messages", Json::Array{Json::object().set("role", "user").set("content", "Hi")});
    for (const char* name : {"content", "input", "tokens"}) {
      if (below(3) == 0) body.set(name, name == std::string_view("tokens") ? Json(Json::Array{1, 2}) : Json("some text"));
    }
    for (uint64_t i = below(5); i > 0; --i) body.set(names_[below(names_.size())], value(0));
    // Short answers: many of them are wanted.
    body.set("max_tokens", 3).set("options", Json::object().set("num_predict", 3));
    if (below(10) == 0) body.set(names_[below(names_.size())], value(0));
    return body;
  }
  Json value(int depth) {
    switch (below(depth > 3 ? 9 : 12)) {
      case 0:
        return {};
      case 1:
        return {below(2) == 0};
      case 2:
        return {static_cast<int64_t>(below(5)) - 2};
      case 3:
        return {static_cast<int64_t>(below(2) == 0 ? INT64_MAX : INT64_MIN)};
      case 4:
        return {below(2) == 0 ? 0.5 : -1e300};
      case 5:
        return {""};
      case 6:
        return {std::string(below(3000), 'x')};
      case 7:
        return {std::string("\0\x01\xf0\x9f\x98\x80 <|im_end|> \" \\ \n", 24)};
      case 8:
        return {names_[below(names_.size())]};
      case 9: {
        Json array = Json::array();
        for (uint64_t i = below(4); i > 0; --i) array.push_back(value(depth + 1));
        return array;
      }
      default: {
        Json object = Json::object();
        for (uint64_t i = below(4); i > 0; --i) object.set(names_[below(names_.size())], value(depth + 1));
        return object;
      }
    }
  }
  void mutate(std::string& text) {
    const size_t at = below(text.size());
    switch (below(4)) {
      case 0:
        text[at] = static_cast<char>(below(256));
        break;
      case 1:
        text.erase(at, 1 + below(8));
        break;
      case 2:
        text.insert(at, text.substr(below(text.size()), below(16)));
        break;
      default:
        text.insert(at, std::string(1 + below(3), static_cast<char>(below(256))));
    }
    if (text.empty()) text = "x";
  }

  uint64_t seed_, position_ = 0;
  std::vector<std::string> names_;
};

TEST(Attack, FuzzedRequestsDoNoHarm) {
  const char* stated = std::getenv("ATELIER_ATTACKS");
  const int count = stated != nullptr ? std::atoi(stated) : 300;
  TestServer server({.http = {.header_s = 5, .body_s = 5}});
  Fuzzer fuzzer(7);
  std::map<int, int> by_status;
  for (int i = 0; i < count; ++i) {
    const auto [bytes, is_whole] = fuzzer.request();
    HttpClient client(server.port());
    client.send(bytes);
    if (!is_whole) {
      client.finish_sending();  // counts as leaving: what is answered until then is answered
      const std::string answer = client.read_to_end();
      ASSERT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 ")) << bytes;
      ASSERT_EQ(answer.find("HTTP/1.1 500"), std::string::npos) << bytes << "\n" << answer;
      continue;
    }
    const HttpAnswer answer = client.read_answer();
    ASSERT_NE(answer.status, 0) << bytes;
    ASSERT_NE(answer.status, 500) << bytes << "\n" << answer.body;
    ++by_status[answer.status];
  }
  EXPECT_GT(by_status[200], count / 50) << "some must be taken, or nothing behind the checks is tried";
  EXPECT_GT(by_status[400], 0);
  EXPECT_EQ(server.get("/health").status, 200);
  EXPECT_TRUE(server.becomes_idle());
}

}  // namespace
}  // namespace atelier::serve
