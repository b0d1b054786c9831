#include "atelier/serve/http/stream.h"

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>

namespace atelier::serve::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr int kSendBuffer = 128 << 10;  // bytes that the kernel takes: what it takes, a slow reader's answer is ahead of it

template <typename Socket>
class AsioStream final : public Stream {
 public:
  template <typename... Args>
  explicit AsioStream(tcp::socket socket, Args&... args) : executor_(socket.get_executor()), socket_(std::move(socket), args...) {
    boost::system::error_code ignored;
    lowest().set_option(tcp::no_delay(true), ignored);  // a token is a small packet that somebody waits for
    lowest().set_option(asio::socket_base::send_buffer_size(kSendBuffer), ignored);
    const auto endpoint = lowest().remote_endpoint(ignored);
    if (!ignored) peer_ = endpoint.address().to_string();
  }

  void handshake(OnDone done) override {
    if constexpr (std::is_same_v<Socket, tcp::socket>) {
      done(0, true);
    } else {
      socket_.async_handshake(asio::ssl::stream_base::server, [done](const boost::system::error_code& error) { done(0, !error); });
    }
  }
  void read_some(char* to, size_t capacity, OnDone done) override {
    socket_.async_read_some(asio::buffer(to, capacity),
                            [done](const boost::system::error_code& error, size_t count) { done(count, !error); });
  }
  void write_some(const char* from, size_t count, OnDone done) override {
    socket_.async_write_some(asio::buffer(from, count), [done](const boost::system::error_code& error, size_t n) { done(n, !error); });
  }
  void finish_sending() override {
    boost::system::error_code ignored;
    lowest().shutdown(tcp::socket::shutdown_send, ignored);
  }
  void close() override {
    boost::system::error_code ignored;
    lowest().close(ignored);
  }
  void post(std::function<void()> task) override { asio::post(executor_, std::move(task)); }
  std::string peer() const override { return peer_; }

 private:
  auto& lowest() { return socket_.lowest_layer(); }

  tcp::socket::executor_type executor_;
  Socket socket_;
  std::string peer_;
};

}  // namespace

std::unique_ptr<Stream> Stream::create(tcp::socket socket, asio::ssl::context* context) {
  if (context == nullptr) return std::make_unique<AsioStream<tcp::socket>>(std::move(socket));
  return std::make_unique<AsioStream<asio::ssl::stream<tcp::socket>>>(std::move(socket), *context);
}

}  // namespace atelier::serve::http
