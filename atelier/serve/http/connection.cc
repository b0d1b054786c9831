#include "atelier/serve/http/connection.h"

#include <fmt/format.h>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <ctime>

#include "atelier/base/strings.h"
#include "atelier/serve/http/stream.h"

namespace atelier::serve::http {
namespace {

namespace beast = boost::beast;

constexpr double kLinger_s = 2;
constexpr int64_t kMaxLingeredBytes = 4 << 20;
constexpr size_t kMaxTargetBytes = 2048;

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  gmtime_r(&now, &parts);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

Connection::Clock::time_point after(double seconds) {
  return Connection::Clock::now() + std::chrono::duration_cast<Connection::Clock::duration>(std::chrono::duration<double>(seconds));
}

std::string as_chunk(const std::string& piece) { return fmt::format("{:x}\r\n{}\r\n", piece.size(), piece); }

}  // namespace

struct Connection::Parser {
  beast::http::request_parser<beast::http::string_body> machine;
};

// The Reply of one request. It may outlive the connection, and then says nothing.
class Connection::Exchange final : public Reply, public std::enable_shared_from_this<Connection::Exchange> {
 public:
  explicit Exchange(std::weak_ptr<Connection> connection, Stream& stream) : connection_(std::move(connection)), stream_(stream) {}

  void send(Response response) override {
    post([response = std::move(response)](Connection& connection, Exchange& self) { connection.send(&self, response); });
  }
  void start(Response head) override {
    post([head = std::move(head)](Connection& connection, Exchange& self) { connection.start_stream(&self, head); });
  }
  void write(std::string piece) override {
    post([piece = std::move(piece)](Connection& connection, Exchange& self) { connection.write_piece(&self, piece); });
  }
  void end() override {
    post([](Connection& connection, Exchange& self) { connection.end(&self); });
  }
  void on_gone(std::function<void()> callback) override {
    const auto keep = connection_.lock();
    if (!keep) return callback();
    stream_.post([self = shared_from_this(), keep, callback = std::move(callback)]() mutable {
      if (self->has_gone_) return callback();
      if (!self->has_ended_) self->on_gone_.push_back(std::move(callback));
    });
  }

  void on_backlog(std::function<void(bool)> callback) override {
    post([callback = std::move(callback)](Connection& connection, Exchange& self) {
      if (!connection.is_current(&self)) return;
      if (connection.is_full_) callback(true);
      self.on_backlog_ = callback;
    });
  }

  // Of the loop's thread.
  void set_full(bool is_full) {
    if (on_backlog_) on_backlog_(is_full);
  }
  void set_gone() {
    has_gone_ = true;
    on_backlog_ = {};
    for (const auto& callback : std::exchange(on_gone_, {})) callback();
  }
  void set_ended() {
    has_ended_ = true;
    on_gone_.clear();
    on_backlog_ = {};
  }

 private:
  template <typename Task>
  void post(Task task) {
    const auto keep = connection_.lock();
    if (keep) stream_.post([self = shared_from_this(), keep, task = std::move(task)] { task(*keep, *self); });
  }

  std::weak_ptr<Connection> connection_;
  Stream& stream_;  // lives as long as the connection
  bool has_gone_ = false, has_ended_ = false;
  std::vector<std::function<void()>> on_gone_;
  std::function<void(bool)> on_backlog_;
};

Connection::Connection(std::unique_ptr<Stream> stream, ConnectionHost& host) : stream_(std::move(stream)), host_(host) {}
Connection::~Connection() = default;

void Connection::enter(Phase phase, double limit_s) {
  phase_ = phase;
  deadline_ = limit_s <= 0 ? Clock::time_point::max() : after(limit_s);
}

void Connection::start() {
  enter(Phase::kHandshake, host_.options().header_s);
  stream_->handshake([self = shared_from_this()](size_t, bool ok) {
    if (self->is_closed()) return;
    if (!ok) return self->close();
    self->enter(Phase::kIdle, self->host_.options().idle_s);
    self->read();
  });
}

void Connection::check_deadlines(Clock::time_point now) {
  if (now > write_deadline_ || now > pause_deadline_) return close();
  if (now <= deadline_) return;
  if (phase_ == Phase::kHeader || phase_ == Phase::kBody) {
    refuse(408, phase_ == Phase::kHeader ? "the header took too long" : "the body took too long");
  } else {
    close();
  }
}

void Connection::stop_when_idle() {
  keeps_alive_ = false;
  if (phase_ != Phase::kAnswer && phase_ != Phase::kLinger) close();
}

void Connection::close() {
  if (is_closed()) return;
  if (phase_ == Phase::kAnswer && !is_answered_) {
    status_ = 499;
    exchange_->set_gone();
  }
  if (phase_ == Phase::kAnswer) log_access();
  phase_ = Phase::kClosed;
  exchange_.reset();
  stream_->close();
}

void Connection::read() {
  stream_->read_some(chunk_.data(), chunk_.size(), [self = shared_from_this()](size_t count, bool ok) { self->on_read(count, ok); });
}

void Connection::on_read(size_t count, bool ok) {
  if (is_closed()) return;
  if (!ok) return close();
  if (phase_ == Phase::kLinger) {
    lingered_bytes_ += static_cast<int64_t>(count);
    return lingered_bytes_ > kMaxLingeredBytes ? close() : read();
  }
  input_.append(chunk_.data(), count);
  if (phase_ == Phase::kAnswer && input_.size() > static_cast<size_t>(host_.options().max_header_bytes) + chunk_.size()) return close();
  parse();
  if (!is_closed()) read();
}

void Connection::parse() {
  while (!input_.empty() && (phase_ == Phase::kIdle || phase_ == Phase::kHeader || phase_ == Phase::kBody)) {
    if (phase_ == Phase::kIdle) {
      enter(Phase::kHeader, host_.options().header_s);
      request_start_ = Clock::now();
      parser_ = std::make_unique<Parser>();
      parser_->machine.header_limit(static_cast<uint32_t>(host_.options().max_header_bytes));
      parser_->machine.body_limit(static_cast<uint64_t>(host_.options().max_body_bytes));
    }
    beast::error_code error;
    const size_t used = parser_->machine.put(boost::asio::buffer(input_), error);
    input_.erase(0, used);
    if (error == beast::http::error::header_limit) return refuse(431, "the header is larger than the limit");
    if (error == beast::http::error::body_limit)
      return refuse(413, fmt::format("the body is larger than {} bytes", host_.options().max_body_bytes));
    if (error && error != beast::http::error::need_more) return refuse(400, "this is no HTTP/1.1 request: " + error.message());
    if (phase_ == Phase::kHeader && parser_->machine.is_header_done()) {
      if (!take_header()) return;
    }
    if (phase_ == Phase::kBody && parser_->machine.is_done()) {
      take_request();
    } else if (error == beast::http::error::need_more) {
      return;
    }
  }
}

bool Connection::take_header() {
  const auto& message = parser_->machine.get();
  request_ = {};
  request_.method = std::string(message.method_string());
  request_.peer = stream_->peer();
  request_.id = host_.next_request_id();
  is_head_ = message.method() == beast::http::verb::head;
  speaks_1_1_ = message.version() >= 11;
  keeps_alive_ = parser_->machine.keep_alive() && !host_.is_stopping();
  for (const auto& field : message) {
    request_.headers.emplace_back(to_lower_ascii(std::string_view(field.name_string().data(), field.name_string().size())),
                                  std::string(field.value()));
  }
  if (message.count(beast::http::field::host) > 1) {
    refuse(400, "more than one Host");
    return false;
  }
  const std::string_view target(message.target().data(), message.target().size());
  const size_t question = target.find('?');
  const auto path = decode_percent(target.substr(0, question));
  if (target.size() > kMaxTargetBytes || !target.starts_with("/") || !path) {
    refuse(400, "the address of the request must be a path of at most 2048 bytes");
    return false;
  }
  request_.path = *path;
  if (question != std::string_view::npos) request_.query = std::string(target.substr(question + 1));
  if (auto refusal = host_.callbacks().admit(request_)) {
    send_and_linger(std::move(*refusal));
    return false;
  }
  parser_->machine.eager(true);
  enter(Phase::kBody, host_.options().body_s);
  if (const std::string* expect = request_.header("expect"); expect != nullptr && equals_ignoring_case(*expect, "100-continue")) {
    push("HTTP/1.1 100 Continue\r\n\r\n");
  }
  return true;
}

void Connection::take_request() {
  Request request = request_;
  request.body = std::move(parser_->machine.get().body());
  parser_.reset();
  enter(Phase::kAnswer, 0);
  is_answered_ = is_chunked_ = false;
  status_ = 0;
  sent_bytes_ = 0;
  exchange_ = std::make_shared<Exchange>(weak_from_this(), *stream_);
  host_.work([&callbacks = host_.callbacks(), request = std::move(request), exchange = exchange_]() mutable {
    callbacks.handle(std::move(request), std::move(exchange));
  });
}

std::string Connection::head_of(const Response& response, bool is_chunked) {
  status_ = response.status;
  std::string head = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\nConnection: {}\r\n", response.status, reason_phrase(response.status),
                                 http_date(), keeps_alive_ ? "keep-alive" : "close");
  if (!request_.id.empty()) head += fmt::format("X-Request-Id: {}\r\n", request_.id);
  if (is_chunked) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (is_answered_ && response.status != 204) {
    head += fmt::format("Content-Length: {}\r\n", response.body.size());
  }
  for (const auto& [name, value] : response.headers) head += fmt::format("{}: {}\r\n", name, value);
  return head + "\r\n";
}

void Connection::send(const Exchange* from, Response response) {
  if (!is_current(from)) return;
  is_answered_ = true;
  push(head_of(response, false) + (is_head_ ? "" : response.body));
}

void Connection::start_stream(const Exchange* from, Response head) {
  if (!is_current(from)) return;
  is_chunked_ = speaks_1_1_;
  if (!speaks_1_1_) keeps_alive_ = false;  // the end of the connection ends the answer
  push(head_of(head, is_chunked_));
  if (!head.body.empty()) write_piece(from, head.body);
}

void Connection::write_piece(const Exchange* from, const std::string& piece) {
  if (!is_current(from) || piece.empty() || is_head_) return;
  push(is_chunked_ ? as_chunk(piece) : piece);
}

void Connection::end(const Exchange* from) {
  if (!is_current(from)) return;
  is_answered_ = true;
  push(is_chunked_ && !is_head_ ? "0\r\n\r\n" : "");
}

void Connection::refuse(int status, const std::string& message) { send_and_linger(host_.callbacks().refuse(status, message)); }

void Connection::send_and_linger(Response response) {
  keeps_alive_ = false;
  is_answered_ = true;
  phase_ = Phase::kAnswer;
  deadline_ = Clock::time_point::max();
  sent_bytes_ = 0;
  push(head_of(response, false) + (is_head_ ? "" : response.body));
}

// Between the two marks nothing is said, so that a reader of middling speed does not stop and start its writer with every packet.
void Connection::tell_backlog() {
  const auto& options = host_.options();
  const auto unsent = static_cast<int64_t>(output_.size() + writing_.size() - writing_at_);
  const bool is_full = phase_ == Phase::kAnswer && !is_answered_ && unsent > (is_full_ ? options.drained_bytes : options.full_bytes);
  if (is_full == is_full_) return;
  is_full_ = is_full;
  pause_deadline_ = is_full ? after(options.paused_s) : Clock::time_point::max();
  if (exchange_) exchange_->set_full(is_full);
}

void Connection::push(const std::string& bytes) {
  output_ += bytes;
  if (static_cast<int64_t>(output_.size()) > host_.options().max_unsent_bytes && !is_answered_) return close();
  if (!is_writing_) flush();
  tell_backlog();
}

void Connection::flush() {
  if (writing_at_ == writing_.size()) {
    writing_.clear();
    writing_at_ = 0;
    writing_.swap(output_);
  }
  if (writing_.empty()) {
    write_deadline_ = Clock::time_point::max();
    if (phase_ == Phase::kAnswer && is_answered_) finish_answer();
    return;
  }
  is_writing_ = true;
  write_deadline_ = after(host_.options().stalled_write_s);
  stream_->write_some(writing_.data() + writing_at_, writing_.size() - writing_at_, [self = shared_from_this()](size_t count, bool ok) {
    self->is_writing_ = false;
    if (self->is_closed()) return;
    if (!ok) return self->close();
    self->writing_at_ += count;
    self->sent_bytes_ += static_cast<int64_t>(count);
    self->flush();
    self->tell_backlog();
  });
}

void Connection::finish_answer() {
  log_access();
  if (exchange_) exchange_->set_ended();
  exchange_.reset();
  request_ = {};
  if (!keeps_alive_ || host_.is_stopping()) {
    stream_->finish_sending();
    return enter(Phase::kLinger, kLinger_s);
  }
  enter(Phase::kIdle, host_.options().idle_s);
  parse();
}

void Connection::log_access() {
  if (!host_.callbacks().log) return;
  host_.callbacks().log({&request_, status_, sent_bytes_, std::chrono::duration<double>(Clock::now() - request_start_).count()});
}

}  // namespace atelier::serve::http
