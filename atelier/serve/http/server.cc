#include "atelier/serve/http/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <future>
#include <thread>
#include <vector>

#include "atelier/base/log.h"
#include "atelier/base/strings.h"
#include "atelier/serve/http/connection.h"
#include "atelier/serve/http/stream.h"

namespace atelier::serve::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kTick = std::chrono::milliseconds(250);  // between looks at deadlines

class AsioServer final : public Server, public ConnectionHost {
 public:
  AsioServer(const ServerOptions& options, Callbacks callbacks)
      : options_(options),
        callbacks_(std::move(callbacks)),
        acceptor_(loop_),
        timer_(loop_),
        workers_(static_cast<size_t>(options.num_workers)) {}
  ~AsioServer() override;

  Status open();
  int port() const override { return port_; }
  int64_t num_connections() const override { return num_connections_; }
  void stop() override;

 private:
  const ServerOptions& options() const override { return options_; }
  const Callbacks& callbacks() const override { return callbacks_; }
  bool is_stopping() const override { return is_stopping_; }
  void work(std::function<void()> task) override { asio::post(workers_, std::move(task)); }
  std::string next_request_id() override { return fmt::format("req-{:08x}-{}", run_id_, ++num_requests_); }

  Status open_tls();
  void accept();
  void tick();
  void run();
  void stop_within(double grace_s);

  ServerOptions options_;
  Callbacks callbacks_;
  asio::io_context loop_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer timer_;
  std::unique_ptr<asio::ssl::context> tls_;
  asio::thread_pool workers_;
  std::thread thread_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::atomic<int64_t> num_connections_{0};
  uint64_t num_requests_ = 0;
  const uint32_t run_id_ = static_cast<uint32_t>(std::chrono::system_clock::now().time_since_epoch().count() >> 20);
  int port_ = 0;
  bool is_stopping_ = false;  // of the loop's thread
  std::chrono::steady_clock::time_point stop_deadline_;
  std::promise<void> stopped_;
};

AsioServer::~AsioServer() {
  if (thread_.joinable()) stop_within(0);
}

Status AsioServer::open_tls() {
  if (options_.tls_certificate.empty() != options_.tls_key.empty()) {
    return Status::invalid("TLS: a certificate and its key are needed, one is missing; name both files");
  }
  if (options_.tls_key.empty()) return {};
  tls_ = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  error_code error;
  tls_->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1, error);
  if (!error) tls_->use_certificate_chain_file(options_.tls_certificate, error);
  if (error)
    return Status::invalid(fmt::format("TLS: {}, no certificate chain in PEM ({}); correct it", options_.tls_certificate, error.message()));
  tls_->use_private_key_file(options_.tls_key, asio::ssl::context::pem, error);
  if (error)
    return Status::invalid(
        fmt::format("TLS: {}, not the key of the certificate in PEM ({}); correct it", options_.tls_key, error.message()));
  return {};
}

Status AsioServer::open() {
  ATELIER_RETURN_IF_ERROR(open_tls());
  const auto failed = [&](const error_code& error) {
    return Status::io(fmt::format("listen: {}:{}, {}; choose another --host or --port", options_.host, options_.port, error.message()));
  };
  error_code error;
  tcp::resolver resolver(loop_);
  const auto found = resolver.resolve(options_.host, std::to_string(options_.port), tcp::resolver::passive, error);
  if (error || found.empty()) return failed(error);
  const tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed(error);
  port_ = acceptor_.local_endpoint(error).port();
  accept();
  tick();
  thread_ = std::thread([this] { run(); });
  return {};
}

void AsioServer::run() {
  while (true) {
    try {
      loop_.run();
      return;
    } catch (const std::exception& error) {  // out of memory for one connection is no reason to leave the others
      log(LogLevel::kError, fmt::format("server: {}, a connection may be lost; please report it", error.what()));
    }
  }
}

void AsioServer::accept() {
  acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
    if (error == asio::error::operation_aborted || is_stopping_) return;
    if (!error && num_connections_ < options_.max_connections) {
      auto connection = std::make_shared<Connection>(Stream::create(std::move(socket), tls_.get()), *this);
      connections_.push_back(connection);
      num_connections_ = static_cast<int64_t>(connections_.size());
      connection->start();
    }
    accept();  // one too many is closed here, as its socket goes out of scope
  });
}

void AsioServer::tick() {
  timer_.expires_after(kTick);
  timer_.async_wait([this](const error_code&) {
    const auto now = Connection::Clock::now();
    const bool is_late = is_stopping_ && now >= stop_deadline_;
    for (const auto& connection : connections_) is_late ? connection->close() : connection->check_deadlines(now);
    std::erase_if(connections_, [](const auto& connection) { return connection->is_closed(); });
    num_connections_ = static_cast<int64_t>(connections_.size());
    if (is_stopping_ && connections_.empty()) return stopped_.set_value();
    tick();
  });
}

void AsioServer::stop() { stop_within(options_.grace_s); }

void AsioServer::stop_within(double grace_s) {
  if (!thread_.joinable()) return;
  asio::post(loop_, [this, grace_s] {
    is_stopping_ = true;
    stop_deadline_ =
        Connection::Clock::now() + std::chrono::duration_cast<Connection::Clock::duration>(std::chrono::duration<double>(grace_s));
    error_code ignored;
    acceptor_.close(ignored);
    for (const auto& connection : connections_) connection->stop_when_idle();
  });
  stopped_.get_future().wait();
  workers_.join();
  loop_.stop();
  thread_.join();
}

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(const ServerOptions& options, Callbacks callbacks) {
  auto server = std::make_unique<AsioServer>(options, std::move(callbacks));
  ATELIER_RETURN_IF_ERROR(server->open());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace atelier::serve::http
