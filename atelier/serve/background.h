// What takes long and computes nothing: downloads. One at a time, on a thread of its own.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

namespace atelier::serve {

class Background {
 public:
  ~Background();  // tells the task to stop and waits for it

  // False when a task is running: nothing was begun. The task asks `is_stopping` now and then.
  bool start(std::function<void(const std::atomic<bool>& is_stopping)> task);

 private:
  std::mutex mutex_;  // of the thread
  std::thread thread_;
  std::atomic<bool> is_running_ = false, is_stopping_ = false;
};

}  // namespace atelier::serve
