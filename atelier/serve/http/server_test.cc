#include "atelier/serve/http/server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "tests/support/http_client.h"

namespace atelier::serve::http {
namespace {

using testing::HttpAnswer;
using testing::HttpClient;

// Answers with what it was asked; /stream in pieces; /slow when the test says so.
class EchoServer {
 public:
  explicit EchoServer(ServerOptions options = {}) {
    options.port = 0;
    Server::Callbacks callbacks;
    callbacks.admit = [](const Request& request) -> std::optional<Response> {
      if (request.path == "/forbidden") return Response{403, {}, "no"};
      return std::nullopt;
    };
    callbacks.handle = [this](const Request& request, const std::shared_ptr<Reply>& reply) {
      if (request.path == "/stream") {
        reply->start({200, {{"Content-Type", "text/plain"}}, ""});
        for (int i = 0; i < 3; ++i) reply->write("piece " + std::to_string(i) + "\n");
        reply->end();
      } else if (request.path == "/flood") {
        reply->start({200, {}, ""});
        reply->on_gone([this] { ++num_gone; });
        for (int i = 0; i < 64; ++i) reply->write(std::string(1 << 20, 'x'));
      } else if (request.path == "/wait") {
        reply->on_gone([this] { ++num_gone; });
        waiting = reply;
        ++num_waiting;
      } else {
        reply->send({200, {}, request.method + " " + request.path + " " + request.query + " " + request.body});
      }
    };
    callbacks.log = [this](const Access& access) {
      last_status = access.status;
      ++num_logged;
    };
    callbacks.refuse = [](int status, const std::string& message) { return Response{status, {}, message}; };
    auto listening = Server::listen(options, callbacks);
    EXPECT_TRUE(listening.ok()) << listening.status().message();
    server = std::move(*listening);
  }
  ~EchoServer() { server.reset(); }

  int port() const { return server->port(); }
  template <typename Condition>
  static bool eventually(Condition condition) {
    for (int i = 0; i < 1000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  std::atomic<int> num_gone{0}, num_waiting{0}, last_status{0}, num_logged{0};
  std::shared_ptr<Reply> waiting;
  std::unique_ptr<Server> server;
};

TEST(HttpServer, KeepsAConnectionForManyRequests) {
  EchoServer echo;
  HttpClient client(echo.port());
  EXPECT_EQ(client.get("/a%20b?c=d").body, "GET /a b c=d ");
  EXPECT_EQ(client.post("/x", "body").body, "POST /x  body");
  EXPECT_EQ(client.get("/stream").body, "piece 0\npiece 1\npiece 2\n");
  client.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");  // pipelined
  EXPECT_EQ(client.read_answer().body, "GET /1  ");
  EXPECT_EQ(client.read_answer().body, "GET /2  ");
  client.send("GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_NE(client.read_to_end().find("Connection: close"), std::string::npos);
  EXPECT_TRUE(EchoServer::eventually([&] { return echo.num_logged == 6; }));
}

TEST(HttpServer, ReadsBodiesInAnyPieces) {
  EchoServer echo;
  HttpClient client(echo.port());
  const std::string whole = "POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n5\r\npedia\r\n0\r\n\r\n";
  for (const char byte : whole) {
    ASSERT_TRUE(client.send(std::string(1, byte)));
  }
  EXPECT_EQ(client.read_answer().body, "POST /p  wikipedia");
  client.send("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_EQ(client.read_answer().body, "POST /p  abc");
}

TEST(HttpServer, OldClientsGetAStreamThatEndsWithTheConnection) {
  EchoServer echo;
  HttpClient client(echo.port());
  client.send("GET /stream HTTP/1.0\r\n\r\n");
  const std::string answer = client.read_to_end();
  EXPECT_EQ(answer.find("chunked"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\npiece 0\npiece 1\npiece 2\n")) << answer;
}

TEST(HttpServer, RefusesWithAStatus) {
  EchoServer echo({.max_header_bytes = 2000, .max_body_bytes = 1000});
  struct Case {
    std::string bytes;
    int status;
  };
  for (const auto& [bytes, status] : std::initializer_list<Case>{
           {"nonsense\r\n\r\n", 400},
           {std::string("GET /\0 HTTP/1.1\r\n\r\n", 19), 400},
           {"GET http://other/ HTTP/1.1\r\n\r\n", 400},
           {"GET /%zz HTTP/1.1\r\n\r\n", 400},
           {"GET /%00 HTTP/1.1\r\n\r\n", 400},
           {"GET / HTTP/9.9\r\n\r\n", 400},
           {"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
           {"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
           {"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
           {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n", 400},
           {"POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413},
           {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + std::string(2000, 'x'), 413},
           {"GET / HTTP/1.1\r\nX: " + std::string(3000, 'x') + "\r\n\r\n", 431},
           {"GET /forbidden HTTP/1.1\r\n\r\n", 403},
       }) {
    HttpClient client(echo.port());
    client.send(bytes);
    const HttpAnswer answer = client.read_answer();
    EXPECT_EQ(answer.status, status) << bytes.substr(0, 80);
    EXPECT_NE(answer.head.find("Connection: close"), std::string::npos);
  }
  EXPECT_EQ(HttpClient(echo.port()).get("/still").status, 200);
}

TEST(HttpServer, SlowClientsMeetTheirDeadline) {
  EchoServer echo({.header_s = 0.3, .body_s = 0.3, .idle_s = 0.6});
  HttpClient header(echo.port()), body(echo.port()), idle(echo.port());
  header.send("GET / HTT");
  body.send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(header.read_answer().status, 408);
  EXPECT_EQ(body.read_answer().status, 408);
  EXPECT_EQ(idle.read_to_end(), "");
}

TEST(HttpServer, NoticesAClientThatLeaves) {
  EchoServer echo;
  {
    HttpClient client(echo.port());
    client.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(EchoServer::eventually([&] { return echo.num_waiting == 1; }));
  }
  EXPECT_TRUE(EchoServer::eventually([&] { return echo.num_gone == 1; }));
  EXPECT_EQ(echo.last_status, 499);
  echo.waiting->send({200, {}, "too late"});
  int called = 0;
  echo.waiting->on_gone([&] { ++called; });
  EXPECT_TRUE(EchoServer::eventually([&] { return called == 1; }));
}

TEST(HttpServer, TellsItsWriterOfABacklog) {
  EchoServer echo;
  HttpClient client(echo.port());
  client.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(EchoServer::eventually([&] { return echo.num_waiting == 1; }));
  std::atomic<int> num_full{0}, num_drained{0};
  echo.waiting->on_backlog([&](bool is_full) { ++(is_full ? num_full : num_drained); });
  echo.waiting->start({200, {}, ""});
  // The kernel takes its part first.
  constexpr size_t kPiece = 10'000, kMost = 800;
  const auto stays_full = [&] {
    if (num_full == num_drained) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return num_full != num_drained;
  };
  size_t num_pieces = 0;
  for (; num_pieces < kMost && !stays_full(); ++num_pieces) {
    echo.waiting->write(std::string(kPiece, 'x'));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_LT(num_pieces, kMost);
  std::string head = client.read_until("\r\n\r\n");
  std::thread ender([&] {
    EXPECT_TRUE(EchoServer::eventually([&] { return num_drained == num_full; }));
    echo.waiting->end();
  });
  const std::string body = client.read_until("\r\n0\r\n\r\n");
  ender.join();
  EXPECT_EQ(std::count(body.begin(), body.end(), 'x'), static_cast<std::ptrdiff_t>(num_pieces * kPiece));
  EXPECT_EQ(echo.num_gone, 0);
}

TEST(HttpServer, AWriterMayNotWaitForEver) {
  EchoServer echo({.paused_s = 0.5});
  HttpClient client(echo.port());
  client.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(EchoServer::eventually([&] { return echo.num_waiting == 1; }));
  echo.waiting->start({200, {}, std::string(4 << 20, 'x')});
  EXPECT_TRUE(EchoServer::eventually([&] { return echo.num_gone == 1; }));
}

TEST(HttpServer, AClientThatDoesNotReadIsCutOff) {
  EchoServer echo({.max_unsent_bytes = 8 << 20});
  HttpClient client(echo.port());
  client.send("GET /flood HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(EchoServer::eventually([&] { return echo.num_gone == 1; }));
}

TEST(HttpServer, TurnsAwayWhoIsOneTooMany) {
  EchoServer echo({.max_connections = 2});
  HttpClient one(echo.port()), two(echo.port());
  EXPECT_EQ(one.get("/").status, 200);
  EXPECT_EQ(two.get("/").status, 200);
  EXPECT_EQ(HttpClient(echo.port()).get("/").status, 0);
  one.close();
  EXPECT_TRUE(EchoServer::eventually([&] { return HttpClient(echo.port()).get("/").status == 200; }));
}

TEST(HttpServer, StopsWhenAnswersHaveEnded) {
  EchoServer echo({.grace_s = 20});
  HttpClient busy(echo.port()), idle(echo.port());
  EXPECT_EQ(idle.get("/").status, 200);
  busy.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(EchoServer::eventually([&] { return echo.num_waiting == 1; }));
  std::thread stopper([&] { echo.server->stop(); });
  EXPECT_EQ(idle.read_to_end(), "");
  echo.waiting->send({200, {}, "done"});
  EXPECT_EQ(busy.read_answer().body, "done");
  stopper.join();
}

TEST(HttpServer, CutsAnswersWhenGraceIsOver) {
  EchoServer echo({.grace_s = 0.1});
  HttpClient busy(echo.port());
  busy.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(EchoServer::eventually([&] { return echo.num_waiting == 1; }));
  echo.server->stop();
  EXPECT_EQ(echo.num_gone, 1);
}

TEST(HttpServer, NamesWhatIsWrongWithItsAddress) {
  EchoServer echo;
  const auto taken = Server::listen({.port = echo.port()}, {});
  EXPECT_FALSE(taken.ok());
  EXPECT_NE(taken.status().message().find("--port"), std::string::npos);
  EXPECT_FALSE(Server::listen({.tls_certificate = "/no/such.pem", .tls_key = "/no/such.key"}, {}).ok());
}

}  // namespace
}  // namespace atelier::serve::http
