// Exceptions for misuse by the programmer. What a user can cause comes back as a Status (base/status.h).
//
// Caught once, at the edges: the CLI's main and the server's request handler.
#pragma once

#include <stdexcept>
#include <string>

namespace atelier {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct ShapeError : Error {  // "[rms_norm] x is [2, 8], weight is [16]"
  using Error::Error;
};
struct DTypeError : Error {
  using Error::Error;
};
struct InternalError : Error {  // a broken invariant of this library
  using Error::Error;
};

namespace detail {
[[noreturn]] void check_failed(const char* file, int line, const char* condition);
}

}  // namespace atelier

// An invariant that holds unless this library has a bug; throws InternalError, in every build type.
#define ATELIER_CHECK(condition)                                                       \
  do {                                                                                 \
    if (!(condition)) ::atelier::detail::check_failed(__FILE__, __LINE__, #condition); \
  } while (false)
