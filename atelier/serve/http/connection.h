// One client's connection: request after request, each answered before the next one is read.
//
//   handshake -> idle -> header -> body -> answer -> idle ...     and from anywhere: linger -> closed
//
// Everything happens on the loop's thread. A read is always outstanding; what arrives during an answer is kept for the next request, and
// an end of the stream means that the client has gone. After a refusal the connection lingers: what the client still sends is thrown away
// for a moment, so that it gets to read the refusal.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "atelier/serve/http/server.h"

namespace atelier::serve::http {

class Stream;

// What a connection needs of its server.
class ConnectionHost {
 public:
  virtual ~ConnectionHost() = default;
  virtual const ServerOptions& options() const = 0;
  virtual const Server::Callbacks& callbacks() const = 0;
  virtual bool is_stopping() const = 0;
  virtual void work(std::function<void()> task) = 0;  // runs it on a worker
  virtual std::string next_request_id() = 0;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Clock = std::chrono::steady_clock;

  Connection(std::unique_ptr<Stream> stream, ConnectionHost& host);
  ~Connection();

  void start();
  void check_deadlines(Clock::time_point now);
  void stop_when_idle();  // the server stops: an answer under way may end
  void close();           // at once; an answer under way is lost
  bool is_closed() const { return phase_ == Phase::kClosed; }

 private:
  enum class Phase { kHandshake, kIdle, kHeader, kBody, kAnswer, kLinger, kClosed };
  class Exchange;
  struct Parser;

  void read();
  void on_read(size_t count, bool ok);
  void parse();
  bool take_header();  // false: refused
  void take_request();

  void send(const Exchange* from, Response response);
  void start_stream(const Exchange* from, Response head);
  void write_piece(const Exchange* from, const std::string& piece);
  void end(const Exchange* from);
  bool is_current(const Exchange* from) const { return from == exchange_.get() && phase_ == Phase::kAnswer && !is_answered_; }

  void refuse(int status, const std::string& message);
  void send_and_linger(Response response);
  std::string head_of(const Response& response, bool is_chunked);
  void push(const std::string& bytes);
  void flush();
  void tell_backlog();
  void finish_answer();
  void log_access();
  void enter(Phase phase, double limit_s);

  std::unique_ptr<Stream> stream_;
  ConnectionHost& host_;
  Phase phase_ = Phase::kHandshake;
  Clock::time_point deadline_ = Clock::time_point::max(), write_deadline_ = Clock::time_point::max(),
                    pause_deadline_ = Clock::time_point::max();

  std::array<char, 16 << 10> chunk_;  // the outstanding read
  std::string input_;                 // read and not yet parsed
  std::unique_ptr<Parser> parser_;
  int64_t lingered_bytes_ = 0;

  Request request_;  // at hand, without its body once that was handed over
  bool keeps_alive_ = false, is_head_ = false, speaks_1_1_ = true;
  std::shared_ptr<Exchange> exchange_;
  Clock::time_point request_start_;
  bool is_answered_ = false;  // all of the answer is in output_
  bool is_chunked_ = false;
  int status_ = 0;
  int64_t sent_bytes_ = 0;

  std::string output_, writing_;  // waiting; on its way from writing_at_ on
  size_t writing_at_ = 0;
  bool is_writing_ = false;
  bool is_full_ = false;  // as the writer was told
};

}  // namespace atelier::serve::http
