// Working memory of the calling thread: grown on demand, kept until the thread ends.
#pragma once

#include <cstdint>

namespace atelier::kernels {

// At least `bytes` bytes, aligned to a cache line; valid until the thread's next call.
void* thread_scratch(int64_t bytes);

}  // namespace atelier::kernels
