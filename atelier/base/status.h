// Status and Result<T>: how expected failures travel.
//
// Files, configurations, checkpoints, prompts and requests come from outside and may be wrong: the functions that read them
// return a Status or a Result, never throw and never abort. A message is one line that names the thing, the value, the limit
// and the next step: `gguf: tensor "blk.3.attn_q.weight" needs 8388608 bytes at offset 1204, file ends at 9000; download it again`.
// Misuse by the programmer (shapes, dtypes, broken invariants) throws: see base/error.h.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace atelier {

enum class StatusCode {
  kOk,
  kInvalidArgument,  // what the caller typed or passed is wrong
  kNotFound,         // a file, key or name does not exist
  kCorrupt,          // a file or message does not follow its format
  kUnsupported,      // well formed, but this build cannot do it
  kOutOfRange,       // a limit (context, memory, depth) would be passed
  kIo,               // the operating system refused
  kCancelled,        // the user stopped it
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  static Status ok_status() { return {}; }
  static Status invalid(std::string message) { return {StatusCode::kInvalidArgument, std::move(message)}; }
  static Status not_found(std::string message) { return {StatusCode::kNotFound, std::move(message)}; }
  static Status corrupt(std::string message) { return {StatusCode::kCorrupt, std::move(message)}; }
  static Status unsupported(std::string message) { return {StatusCode::kUnsupported, std::move(message)}; }
  static Status out_of_range(std::string message) { return {StatusCode::kOutOfRange, std::move(message)}; }
  static Status io(std::string message) { return {StatusCode::kIo, std::move(message)}; }
  static Status cancelled(std::string message) { return {StatusCode::kCancelled, std::move(message)}; }

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }

  // The same status with `context: ` before the message, for a caller that knows which file or field it was.
  Status with_context(const std::string& context) const { return {code_, context + ": " + message_}; }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

// A value, or the Status that says why there is none. Reading the value of a failed Result throws InternalError.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT: implicit on purpose
  Result(Status status) : status_(std::move(status)) {}  // NOLINT: implicit on purpose

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }

  T& value() & {
    check();
    return *value_;
  }
  const T& value() const& {
    check();
    return *value_;
  }
  T&& value() && {
    check();
    return *std::move(value_);
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  void check() const;
  std::optional<T> value_;
  Status status_;
};

namespace detail {
[[noreturn]] void throw_bad_result(const Status& status);
}
template <typename T>
void Result<T>::check() const {
  if (!value_) detail::throw_bad_result(status_);
}

}  // namespace atelier

#define ATELIER_CONCAT_(a, b) a##b
#define ATELIER_CONCAT(a, b) ATELIER_CONCAT_(a, b)

// Returns the Status of `expr` from the enclosing function when it is not ok.
#define ATELIER_RETURN_IF_ERROR(expr)                                      \
  do {                                                                     \
    if (::atelier::Status status_ = (expr); !status_.ok()) return status_; \
  } while (false)

// `ATELIER_TRY(auto x, f());` declares x as the value of f(), or returns f()'s Status.
#define ATELIER_TRY(declaration, expr)                                                            \
  auto ATELIER_CONCAT(result_, __LINE__) = (expr);                                                \
  if (!ATELIER_CONCAT(result_, __LINE__).ok()) return ATELIER_CONCAT(result_, __LINE__).status(); \
  declaration = std::move(ATELIER_CONCAT(result_, __LINE__)).value()
