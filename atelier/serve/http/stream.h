// A connected socket, plain or TLS, on the event loop: the one place that knows Asio's stream types.
//
// All calls are made on the loop's thread except post(). One read and one write may be outstanding; callbacks come on the loop's thread.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace atelier::serve::http {

class Stream {
 public:
  // `context` may be null: then nothing is encrypted.
  static std::unique_ptr<Stream> create(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* context);
  virtual ~Stream() = default;

  using OnDone = std::function<void(size_t num_bytes, bool ok)>;
  virtual void handshake(OnDone done) = 0;
  virtual void read_some(char* to, size_t capacity, OnDone done) = 0;  // not ok: the end, or an error
  virtual void write_some(const char* from, size_t count, OnDone done) = 0;
  virtual void finish_sending() = 0;  // tells the other side that nothing more comes
  virtual void close() = 0;

  virtual void post(std::function<void()> task) = 0;  // of any thread: runs the task on the loop's
  virtual std::string peer() const = 0;
};

}  // namespace atelier::serve::http
