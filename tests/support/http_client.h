// A client on a blocking socket, for tests that want to see and to break every byte.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "atelier/base/json.h"

namespace atelier::testing {

struct HttpAnswer {
  int status = 0;  // 0: the connection ended before there was one
  std::string head, body;

  Json json() const {
    auto parsed = Json::parse(body, "answer");
    EXPECT_TRUE(parsed.ok()) << body;
    return parsed.ok() ? *parsed : Json();
  }
};

class HttpClient {
 public:
  explicit HttpClient(int port, double patience_s = 20) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval patience = {static_cast<time_t>(patience_s), static_cast<suseconds_t>((patience_s - static_cast<int>(patience_s)) * 1e6)};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient() { close(); }

  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  void finish_sending() { ::shutdown(socket_, SHUT_WR); }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }
  // Reads until `mark` has come, and returns all up to its end; all there is when the connection ends or patience does.
  std::string read_until(std::string_view mark) {
    size_t at;
    while ((at = input_.find(mark)) == std::string::npos) {
      if (!read_more()) return std::exchange(input_, {});
    }
    std::string out = input_.substr(0, at + mark.size());
    input_.erase(0, out.size());
    return out;
  }
  std::string read_to_end() {
    while (read_more()) {
    }
    return std::exchange(input_, {});
  }

  HttpAnswer read_answer() {
    HttpAnswer answer;
    answer.head = read_until("\r\n\r\n");
    if (!answer.head.starts_with("HTTP/1.1 ")) return answer;
    answer.status = std::atoi(answer.head.c_str() + 9);
    if (answer.status == 100) return read_answer();
    if (const size_t at = answer.head.find("Content-Length: "); at != std::string::npos) {
      const auto length = static_cast<size_t>(std::atol(answer.head.c_str() + at + 16));
      while (input_.size() < length && read_more()) {
      }
      answer.body = input_.substr(0, length);
      input_.erase(0, answer.body.size());
    } else if (answer.head.find("Transfer-Encoding: chunked") != std::string::npos) {
      while (true) {
        const size_t length = std::strtoul(read_until("\r\n").c_str(), nullptr, 16);
        while (input_.size() < length + 2 && read_more()) {
        }
        answer.body += input_.substr(0, length);
        input_.erase(0, length + 2);
        if (length == 0) break;
      }
    }
    return answer;
  }
  HttpAnswer get(const std::string& path, const std::string& headers = "") {
    send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
    return read_answer();
  }
  bool send_post(const std::string& path, const std::string& body, const std::string& headers = "") {
    return send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body);
  }
  HttpAnswer post(const std::string& path, const std::string& body, const std::string& headers = "") {
    send_post(path, body, headers);
    return read_answer();
  }

 private:
  bool read_more() {
    char chunk[4096];
    const ssize_t count = ::recv(socket_, chunk, sizeof chunk, 0);
    if (count <= 0) return false;
    input_.append(chunk, static_cast<size_t>(count));
    return true;
  }

  int socket_;
  std::string input_;
};

}  // namespace atelier::testing
