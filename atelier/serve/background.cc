#include "atelier/serve/background.h"

namespace atelier::serve {

Background::~Background() {
  is_stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

bool Background::start(std::function<void(const std::atomic<bool>&)> task) {
  const std::lock_guard lock(mutex_);
  if (is_running_.exchange(true)) return false;
  if (thread_.joinable()) thread_.join();  // of the task before, which has ended
  thread_ = std::thread([this, task = std::move(task)] {
    task(is_stopping_);
    is_running_ = false;
  });
  return true;
}

}  // namespace atelier::serve
