// Requests and replies of HTTP as the endpoints see them: plain values and one interface, without sockets.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atelier::serve::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  // "GET"
  std::string path;    // decoded, without the query: "/v1/models/tiny model"
  std::string query;   // what followed "?", as it came
  Headers headers;     // names in lower case
  std::string body;
  std::string peer;  // address of the client
  std::string id;    // unique in this process; sent back as x-request-id

  const std::string* header(std::string_view lower_case_name) const;  // the first of that name, or null
};

struct Response {
  int status = 200;
  Headers headers;  // Content-Length, Date and the like are added
  std::string body;
};

// Where the answer to one request goes: send(), or start(), write() as often as needed, end(). Of any thread, never blocking. What a
// client that has gone would have got is dropped.
class Reply {
 public:
  virtual ~Reply() = default;

  virtual void send(Response response) = 0;
  virtual void start(Response head) = 0;  // its body is the first piece
  virtual void write(std::string piece) = 0;
  virtual void end() = 0;

  // The client has left, or has read nothing for so long that it was cut off: there is nobody to work for. Also called when that was so
  // already; not called once the answer has ended.
  virtual void on_gone(std::function<void()> callback) = 0;

  // Tells whether so much of the answer is unread that more should not be said for now (true), and when the client has read on (false).
  virtual void on_backlog(std::function<void(bool is_full)> callback) = 0;
};

// "a%20b" -> "a b"; nothing for an escape that is none, and for escaped control characters.
std::optional<std::string> decode_percent(std::string_view text);

const char* reason_phrase(int status);

}  // namespace atelier::serve::http
