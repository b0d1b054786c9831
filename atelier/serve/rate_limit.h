// How many requests each client may make: a bucket of tokens for each, filled at a steady rate up to a minute's worth (Turner 1986, "New
// directions in communications (or which way to the information age?)"). Of one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace atelier::serve {

class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;

  explicit RateLimit(int64_t per_minute) : per_minute_(per_minute) {}  // 0: no limit

  // Takes one request of a client's. 0 when he may make it, else the seconds until he may.
  double take(const std::string& client, Clock::time_point now);

  int64_t per_minute() const { return per_minute_; }
  size_t num_clients() const { return buckets_.size(); }

 private:
  struct Bucket {
    double left;
    Clock::time_point filled;
  };
  double left_at(const Bucket& bucket, Clock::time_point now) const;

  int64_t per_minute_;
  std::unordered_map<std::string, Bucket> buckets_;  // those that are full again are forgotten
};

}  // namespace atelier::serve
