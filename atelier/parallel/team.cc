#include "atelier/parallel/team.h"

#include "atelier/base/error.h"

namespace atelier::parallel {
namespace {

constexpr int kSpins = 2000;  // about 30 to 60 microseconds

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

}  // namespace

Team::~Team() {
  is_stopping_ = true;
  ticket_.fetch_add(uint64_t{1} << kSizeBits);
  ticket_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void Team::run(int size, FunctionRef<void(int)> job) {
  const std::unique_lock lock(busy_, std::try_to_lock);
  if (!lock.owns_lock()) throw InternalError("parallel_for: a loop is running already; loops neither nest nor run from two threads");
  while (static_cast<int>(workers_.size()) < size - 1) {
    const int index = static_cast<int>(workers_.size()) + 1;
    workers_.emplace_back([this, index] { work(index); });
  }
  job_ = &job;
  failure_ = nullptr;
  remaining_.store(size - 1, std::memory_order_relaxed);
  const uint64_t loop = (ticket_.load(std::memory_order_relaxed) >> kSizeBits) + 1;
  ticket_.store(loop << kSizeBits | static_cast<uint64_t>(size));  // sequentially consistent with the read of num_sleeping_
  if (num_sleeping_.load() > 0) ticket_.notify_all();

  call(0);
  for (int spin = 0; remaining_.load(std::memory_order_acquire) > 0; ++spin) {
    if (spin < kSpins) {
      pause();
    } else if (const int left = remaining_.load(std::memory_order_acquire); left > 0) {
      remaining_.wait(left, std::memory_order_acquire);
    }
  }
  if (failure_) std::rethrow_exception(failure_);
}

void Team::call(int index) noexcept {
  try {
    (*job_)(index);
  } catch (...) {
    const std::lock_guard lock(failure_mutex_);
    if (!failure_) failure_ = std::current_exception();
  }
}

// Waits for a ticket other than `seen`.
uint64_t Team::next_ticket(uint64_t seen) {
  for (int spin = 0; spin < kSpins; ++spin) {
    if (const uint64_t ticket = ticket_.load(std::memory_order_acquire); ticket != seen) return ticket;
    pause();
  }
  num_sleeping_.fetch_add(1);
  ticket_.wait(seen);
  num_sleeping_.fetch_sub(1);
  return ticket_.load(std::memory_order_acquire);
}

void Team::work(int index) {
  uint64_t ticket = 0;  // a worker born during run() finds its first ticket here: tickets start at 1
  while (true) {
    ticket = next_ticket(ticket);
    if (is_stopping_) return;
    if (index >= static_cast<int>(ticket & ((uint64_t{1} << kSizeBits) - 1))) continue;
    call(index);
    if (remaining_.fetch_sub(1, std::memory_order_acq_rel) == 1) remaining_.notify_one();
  }
}

}  // namespace atelier::parallel
