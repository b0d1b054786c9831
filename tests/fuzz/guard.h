// Watches one input after another: the bytes that were running when the process dies are kept and named, allocations above a limit
// and inputs that take too long end the process as a crash does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace atelier::fuzz {

struct Limits {
  size_t max_allocation_bytes = size_t{128} << 20;  // of a single request; needs AddressSanitizer's malloc hooks
  size_t max_resident_bytes = size_t{2} << 30;      // of the process, looked at after each input
  unsigned max_cpu_seconds = 30;                    // of processor time, for one input
};

// `failure_path` receives the input that was running when something went wrong.
void install_guard(const Limits& limits, const std::string& failure_path);

// Runs the target on `input`; `how` says in the failure message how to make it again.
void run_guarded(const std::string& input, const std::string& how);

}  // namespace atelier::fuzz
