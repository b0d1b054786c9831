// The transport: an event loop on one thread that reads requests, hands them to a pool, and writes what the replies say.
//
// Boost.Asio does the waiting and Boost.Beast parses; both stay inside this folder's sources. A connection is a state machine that always
// has a read outstanding, so that a client that leaves is noticed at once, also while its answer is being computed. Every phase has a
// deadline and every buffer a bound (docs/security.md). A client that half-closes its side counts as gone.
//
//   ATELIER_TRY(auto server, Server::listen(options, admit, handle, log));
//   ...
//   server->stop();      // no new connections; answers under way may end within options.grace_s
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "atelier/base/status.h"
#include "atelier/serve/http/message.h"

namespace atelier::serve::http {

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 8080;                       // 0: any that is free
  std::string tls_certificate, tls_key;  // PEM files; both or none

  int64_t max_connections = 1024;                  // others are turned away at once
  int64_t max_header_bytes = 16 << 10;             // of a request's first line and header fields
  int64_t max_body_bytes = 8 << 20;                // of a request
  int64_t full_bytes = 64 << 10;                   // unread of an answer: its writer is told to pause …
  int64_t drained_bytes = 16 << 10;                // … and to go on
  int64_t max_unsent_bytes = 8 << 20;              // of an answer whose writer does not pause; then the client counts as gone
  double header_s = 10, body_s = 60, idle_s = 75;  // how long a header, a body, the next request may take
  double stalled_write_s = 30;                     // how long a client may read nothing
  double paused_s = 120;                           // how long a writer may be kept waiting
  double grace_s = 30;                             // stop(): how long answers may go on
  int num_workers = 2;                             // threads that check requests and tokenize
};

// One line of the access log.
struct Access {
  const Request* request = nullptr;  // without its body
  int status = 0;                    // 499: the client left first
  int64_t sent_bytes = 0;
  double seconds = 0;
};

class Server {
 public:
  // Decides on the header alone, before the body is read: a response refuses the request. Of the loop's thread; must be quick.
  using Admit = std::function<std::optional<Response>(const Request&)>;
  // Answers through `reply`, now or later. Of a worker thread; must not throw.
  using Handle = std::function<void(Request, std::shared_ptr<Reply>)>;
  // Of the loop's thread.
  using Log = std::function<void(const Access&)>;
  // The answer to what is no HTTP, too large or too slow.
  using Refuse = std::function<Response(int status, const std::string& message)>;

  struct Callbacks {
    Admit admit;
    Handle handle;
    Log log;
    Refuse refuse;
  };

  // Accepts connections from now on. InvalidArgument or Io: an address that is none or in use, a certificate that cannot be read.
  static Result<std::unique_ptr<Server>> listen(const ServerOptions& options, Callbacks callbacks);
  virtual ~Server() = default;  // stops without grace

  virtual int port() const = 0;
  virtual int64_t num_connections() const = 0;
  virtual void stop() = 0;  // returns when all connections are closed
};

}  // namespace atelier::serve::http
