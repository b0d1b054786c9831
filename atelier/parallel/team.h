// The persistent threads behind parallel_for: they spin for a moment between loops, then sleep.
//
// Work is handed over through one atomic word, the ticket: a counter of loops in its upper bits and the number of participants in its
// lower ones. A worker whose index is below that number runs the job and counts itself off; the others read nothing but the ticket.
// Spinning is short (tens of microseconds): long enough for the gaps between the loops of a forward pass, short enough that a loaded
// machine is not held up by waiting (docs/adr/0008).
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "atelier/base/function_ref.h"

namespace atelier::parallel {

class Team {
 public:
  Team() = default;
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  // Calls job(thread) for thread in [0, size), 0 on the calling thread, and returns when all have ended. The first exception of any
  // is rethrown. Not reentrant: InternalError when a loop runs already.
  void run(int size, FunctionRef<void(int thread)> job);

 private:
  static constexpr uint64_t kSizeBits = 16;

  void work(int index);
  void call(int index) noexcept;
  uint64_t next_ticket(uint64_t seen);

  std::mutex busy_;
  std::vector<std::thread> workers_;
  FunctionRef<void(int)>* job_ = nullptr;  // valid while remaining_ > 0
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
  alignas(64) std::atomic<uint64_t> ticket_{0};
  alignas(64) std::atomic<int> num_sleeping_{0};
  alignas(64) std::atomic<int> remaining_{0};
  std::atomic<bool> is_stopping_{false};
};

}  // namespace atelier::parallel
