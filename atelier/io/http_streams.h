// Many requests at once over http and https, on one thread, whose answers are told as they come: what a load generator needs.
//
//   ATELIER_TRY(auto streams, HttpStreams::create());
//   streams->start({url, headers, body}, {on_bytes, on_end});
//   while (streams->num_open() > 0) ATELIER_RETURN_IF_ERROR(streams->run(/*seconds=*/0.1));
//
// Connections are kept and used again.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/status.h"

namespace atelier::io {

class HttpStreams {
 public:
  struct Request {
    std::string url;
    std::vector<std::string> headers;  // "Authorization: Bearer ..."
    std::string body;                  // sent by POST; GET where it is empty
    std::string ca_file = {};          // PEM: whose certificates to trust instead of the system's
  };
  struct Hooks {
    // The next bytes of the body. False: leave at once.
    std::function<bool(std::string_view)> on_bytes;
    // The last call: Io when the server could not be reached or broke off, Cancelled when on_bytes has left; else the answer's status. May
    // start others.
    std::function<void(const Result<int>& http_status)> on_end;
  };

  // Unsupported where there is no libcurl.
  static Result<std::unique_ptr<HttpStreams>> create();
  virtual ~HttpStreams() = default;  // what is open is dropped without a word

  virtual void start(Request request, Hooks hooks) = 0;
  virtual int64_t num_open() const = 0;
  // Waits for at most `seconds` until something comes, and tells of it.
  virtual Status run(double seconds) = 0;
};

}  // namespace atelier::io
