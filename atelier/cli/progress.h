// A progress bar on a terminal, a line now and then elsewhere; nothing for what ends within two seconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "atelier/cli/command.h"

namespace atelier::cli {

class Progress {
 public:
  // `label` is what is being done, "perplexity"; `total` its units of work.
  Progress(Console& console, std::string label, int64_t total);
  ~Progress();  // removes the bar

  void set_total(int64_t total);
  void update(int64_t done, const std::string& note = "");  // `note` stands behind the percentage

 private:
  using Clock = std::chrono::steady_clock;
  Console& console_;
  std::string label_;
  int64_t total_;
  Clock::time_point start_, last_shown_;
  bool has_bar_ = false;
};

}  // namespace atelier::cli
