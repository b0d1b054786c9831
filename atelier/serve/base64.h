// Base64 (RFC 4648, section 4), in which clients ask for vectors.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace atelier::serve {

std::string encode_base64(std::span<const std::byte> bytes);

}  // namespace atelier::serve
