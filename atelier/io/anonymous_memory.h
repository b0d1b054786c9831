// Large zeroed memory straight from the kernel: pages appear when they are first touched, in huge pages where the system offers them (a
// matrix that is streamed once per token then costs few look-ups of page addresses), and go back when the last owner does.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "atelier/base/status.h"

namespace atelier::io {

// `bytes` > 0, page-aligned. OutOfRange "WHAT: 12.0 GiB cannot be reserved; NEXT STEP" where the system refuses.
Result<std::shared_ptr<uint8_t>> map_anonymous(int64_t bytes, const std::string& what, const std::string& next_step);

}  // namespace atelier::io
