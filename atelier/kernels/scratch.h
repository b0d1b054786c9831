// Working memory of the calling thread: grown on demand, kept until the thread ends.
#pragma once

#include <cstdint>
#include <memory>

namespace atelier::kernels {

// At least `bytes` bytes, aligned to a cache line; valid until the thread's next call.
void* thread_scratch(int64_t bytes);

// Operands that a driver prepares for all threads: one of these, thread_local, is the owner thread's from call to call. Grown on demand, in
// huge pages where the system has them; contents are not kept.
class Workspace {
 public:
  float* take(int64_t floats);

 private:
  std::shared_ptr<uint8_t> memory_;
  int64_t bytes_ = 0;
};

}  // namespace atelier::kernels
