#include "atelier/serve/rate_limit.h"

#include <algorithm>

namespace atelier::serve {
namespace {

constexpr size_t kManyClients = 4096;  // above, full buckets are looked for

}  // namespace

double RateLimit::left_at(const Bucket& bucket, Clock::time_point now) const {
  const double minutes = std::chrono::duration<double>(now - bucket.filled).count() / 60;
  return std::min(static_cast<double>(per_minute_), bucket.left + minutes * static_cast<double>(per_minute_));
}

double RateLimit::take(const std::string& client, Clock::time_point now) {
  if (per_minute_ == 0) return 0;
  if (buckets_.size() >= kManyClients) {
    std::erase_if(buckets_, [&](const auto& entry) { return left_at(entry.second, now) >= static_cast<double>(per_minute_); });
  }
  const auto [entry, is_new] = buckets_.try_emplace(client, Bucket{static_cast<double>(per_minute_), now});
  Bucket& bucket = entry->second;
  bucket = {left_at(bucket, now), now};
  if (bucket.left < 1) return (1 - bucket.left) * 60 / static_cast<double>(per_minute_);
  bucket.left -= 1;
  return 0;
}

}  // namespace atelier::serve
