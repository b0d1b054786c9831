// What every fuzz target shares. A target is one file `<name>_fuzz.cc` that defines LLVMFuzzerTestOneInput: it must take any bytes
// without a crash, an exception, a huge allocation or a long wait, and every refusal must be one printable line.
//
// With clang, libFuzzer drives the targets; elsewhere tests/fuzz/driver.cc does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "atelier/base/status.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace atelier::fuzz {

inline std::string_view as_text(const uint8_t* data, size_t size) { return {reinterpret_cast<const char*>(data), size}; }

// Stops the run: what was promised of every input does not hold for this one.
[[noreturn]] inline void fail(const std::string& why) {
  std::fprintf(stderr, "fuzz: %s\n", why.c_str());
  std::abort();
}

// A refusal is one line that a terminal survives.
inline void check_refusal(const Status& status) {
  if (status.ok()) return;
  if (status.message().empty() || status.message().size() > 4000) fail("error of " + std::to_string(status.message().size()) + " bytes");
  for (const char c : status.message()) {
    if (static_cast<unsigned char>(c) < 0x20) fail("control character in the error: " + status.message());
  }
}

}  // namespace atelier::fuzz
