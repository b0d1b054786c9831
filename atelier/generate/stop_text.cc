#include "atelier/generate/stop_text.h"

#include <algorithm>
#include <utility>

#include "atelier/generate/begun_sign.h"

namespace atelier::generate {

StopText::StopText(std::vector<std::string> stops) : stops_(std::move(stops)) {
  std::erase_if(stops_, [](const std::string& stop) { return stop.empty(); });
}

size_t StopText::held_length() const {
  size_t held = 0;
  for (const std::string& stop : stops_) held = std::max(held, begun_sign(pending_, stop));
  return held;
}

std::string StopText::push(std::string_view text) {
  if (has_matched_) return {};
  pending_ += text;
  size_t first = std::string::npos;
  for (const std::string& stop : stops_) {
    const size_t at = pending_.find(stop);
    if (at == std::string::npos || at > first || (at == first && stop.size() <= matched_.size())) continue;
    first = at;
    matched_ = stop;
  }
  has_matched_ = first != std::string::npos;
  const size_t shown = has_matched_ ? first : pending_.size() - held_length();
  std::string out = pending_.substr(0, shown);
  pending_.erase(0, has_matched_ ? pending_.size() : shown);
  return out;
}

std::string StopText::finish() { return std::exchange(pending_, {}); }

}  // namespace atelier::generate
