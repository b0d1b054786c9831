// Base64 (RFC 4648, section 4), as tokenizer files carry binary tables.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace atelier::tokenize {

std::optional<std::string> decode_base64(std::string_view text);  // nothing when it is malformed

}  // namespace atelier::tokenize
