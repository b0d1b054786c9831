// Bytes of a client, through the connection's parser, the checks of the header, JSON and openapi.json's schemas. The first byte says in how
// large pieces they come. No model is served, so that what passes all checks ends at "no such model".
#include <deque>

#include "atelier/serve/http/connection.h"
#include "atelier/serve/http/stream.h"
#include "atelier/serve/service.h"
#include "tests/fuzz/fuzz.h"

using namespace atelier;
using namespace atelier::serve;

namespace {

// What a connection would have of a socket, without one: bytes are given to the outstanding read, what is written is kept.
class MemoryStream final : public http::Stream {
 public:
  explicit MemoryStream(std::string& written, std::deque<std::function<void()>>& tasks) : written_(written), tasks_(tasks) {}
  void handshake(OnDone done) override { done(0, true); }
  void read_some(char* to, size_t capacity, OnDone done) override {
    to_ = to;
    capacity_ = capacity;
    done_ = std::move(done);
  }
  void write_some(const char* from, size_t count, OnDone done) override {
    written_.append(from, count);
    tasks_.push_back([done, count] { done(count, true); });
  }
  void finish_sending() override {}
  void close() override {
    if (done_) tasks_.push_back([done = std::exchange(done_, {})] { done(0, false); });
  }
  void post(std::function<void()> task) override { tasks_.push_back(std::move(task)); }
  std::string peer() const override { return "fuzz"; }

  // False when nobody reads.
  bool give(std::string_view bytes) {
    if (!done_) return false;
    const size_t count = std::min(bytes.size(), capacity_);
    std::copy_n(bytes.data(), count, to_);
    std::exchange(done_, {})(count, count > 0);
    return true;
  }

 private:
  std::string& written_;
  std::deque<std::function<void()>>& tasks_;
  char* to_ = nullptr;
  size_t capacity_ = 0;
  OnDone done_;
};

class Host final : public http::ConnectionHost {
 public:
  Host() {
    auto made = Service::create(engines_, {});
    if (!made.ok()) fuzz::fail(made.status().message());
    service_ = std::move(*made);
    callbacks_ = service_->callbacks();
    options_.max_body_bytes = 1 << 16;
    if (!engines_.wait_until_loaded().ok()) fuzz::fail("no engines");
  }
  const http::ServerOptions& options() const override { return options_; }
  const http::Server::Callbacks& callbacks() const override { return callbacks_; }
  bool is_stopping() const override { return false; }
  void work(std::function<void()> task) override { tasks.push_back(std::move(task)); }
  std::string next_request_id() override { return "id"; }

  void run_tasks() {
    while (!tasks.empty()) {
      const auto task = std::move(tasks.front());
      tasks.pop_front();
      task();
    }
  }
  std::deque<std::function<void()>> tasks;

 private:
  EngineThread engines_{{}, {}};
  std::unique_ptr<Service> service_;
  http::ServerOptions options_;
  http::Server::Callbacks callbacks_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Host host;
  if (size == 0) return 0;
  const size_t piece = size_t{1} + data[0];
  std::string written;
  auto owned = std::make_unique<MemoryStream>(written, host.tasks);
  MemoryStream& stream = *owned;
  const auto connection = std::make_shared<http::Connection>(std::move(owned), host);
  connection->start();
  std::string_view left = fuzz::as_text(data + 1, size - 1);
  while (!left.empty() && !connection->is_closed()) {
    const std::string_view bytes = left.substr(0, piece);
    if (!stream.give(bytes)) break;
    host.run_tasks();
    left.remove_prefix(bytes.size());
  }
  connection->close();
  host.run_tasks();
  if (!written.empty() && !written.starts_with("HTTP/1.1 ")) fuzz::fail("an answer that is none: " + written.substr(0, 100));
  if (written.find("HTTP/1.1 500") != std::string::npos) fuzz::fail("status 500: " + written.substr(0, 1000));
  return 0;
}
