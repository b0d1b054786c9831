// The version of library and binary.
#pragma once

namespace atelier {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace atelier
