#include "atelier/base/error.h"

#include "atelier/base/status.h"

namespace atelier::detail {

void check_failed(const char* file, int line, const char* condition) {
  throw InternalError(std::string(file) + ":" + std::to_string(line) + ": broken invariant: " + condition);
}

void throw_bad_result(const Status& status) { throw InternalError("value of a failed Result read: " + status.message()); }

}  // namespace atelier::detail
