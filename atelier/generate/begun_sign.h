// What of a text that is still being written may become a sign: the splitters of answers hold it back.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace atelier::generate {

// Length of the longest end of `text` that is a proper beginning of `sign`; 0 for no sign.
inline size_t begun_sign(std::string_view text, std::string_view sign) {
  if (sign.empty()) return 0;
  for (size_t length = std::min(text.size(), sign.size() - 1); length > 0; --length) {
    if (text.ends_with(sign.substr(0, length))) return length;
  }
  return 0;
}

}  // namespace atelier::generate
