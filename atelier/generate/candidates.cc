#include "atelier/generate/candidates.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "atelier/base/error.h"

namespace atelier::generate {
namespace {
// Up to this many, one pass with a heap beats partitioning: nearly every candidate fails its first comparison.
constexpr std::ptrdiff_t kHeapLimit = 1024;
constexpr size_t kBlock = 64;  // tokens of a word of a mask

float max_of(std::span<const float> values) {
  constexpr size_t kLanes = 16;  // maxima that do not wait for each other
  std::array<float, kLanes> lanes;
  lanes.fill(-INFINITY);
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] = values[i + lane] > lanes[lane] ? values[i + lane] : lanes[lane];
  }
  for (; i < values.size(); ++i) lanes[0] = std::max(lanes[0], values[i]);
  return *std::max_element(lanes.begin(), lanes.end());
}

}  // namespace

int32_t likeliest_token(std::span<const float> logits, std::span<const uint64_t> allowed) {
  int32_t best = -1;
  float best_logit = -INFINITY;
  for (size_t first = 0; first < logits.size(); first += kBlock) {
    const size_t count = std::min(kBlock, logits.size() - first);
    // Nearly every block has nothing better, and says so quickly.
    if (!(max_of(logits.subspan(first, count)) > best_logit)) continue;
    const uint64_t word = allowed.empty() ? ~uint64_t{0} : allowed[first / kBlock];
    for (size_t i = 0; i < count; ++i) {
      if ((word >> i & 1) == 0 || !(logits[first + i] > best_logit)) continue;
      best = static_cast<int32_t>(first + i);
      best_logit = logits[first + i];
    }
  }
  return best;
}

void Candidates::assign(std::span<const float> logits) {
  items_.resize(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) items_[i] = {static_cast<int32_t>(i), logits[i]};
  num_sorted_ = 0;
  is_dense_ = true;
}

float& Candidates::logit(int32_t id) {
  ATELIER_CHECK(is_dense_ && id >= 0 && static_cast<size_t>(id) < items_.size());
  return items_[static_cast<size_t>(id)].logit;
}

void Candidates::assign_allowed(std::span<const float> logits, std::span<const uint64_t> allowed) {
  ATELIER_CHECK(allowed.size() * kBlock >= logits.size());
  items_.clear();
  for (size_t first = 0; first < logits.size(); first += kBlock) {
    for (uint64_t word = allowed[first / kBlock]; word != 0; word &= word - 1) {
      const size_t id = first + static_cast<size_t>(std::countr_zero(word));
      if (id < logits.size()) items_.push_back({static_cast<int32_t>(id), logits[id]});
    }
  }
  num_sorted_ = 0;
  is_dense_ = items_.size() == logits.size();
}

void Candidates::forbid_others(std::span<const uint64_t> allowed) {
  ATELIER_CHECK(is_dense_ && allowed.size() * kBlock >= items_.size());
  for (size_t id = 0; id < items_.size(); ++id) {
    if ((allowed[id / kBlock] >> (id % kBlock) & 1) == 0) items_[id].logit = -INFINITY;
  }
}

void Candidates::divide(float divisor) {
  for (Candidate& item : items_) item.logit /= divisor;
}

std::span<const Candidate> Candidates::sort_prefix(size_t count) {
  count = std::min(count, items_.size());
  if (count > num_sorted_) {
    const auto begin = items_.begin() + static_cast<std::ptrdiff_t>(num_sorted_);
    const auto end = items_.begin() + static_cast<std::ptrdiff_t>(count);
    if (end - begin <= kHeapLimit) {
      std::partial_sort(begin, end, items_.end(), is_likelier);
    } else {
      if (end != items_.end()) std::nth_element(begin, end - 1, items_.end(), is_likelier);
      std::sort(begin, end, is_likelier);
    }
    num_sorted_ = count;
    is_dense_ = false;
  }
  return std::span<const Candidate>(items_).first(count);
}

float Candidates::max_logit() {
  if (num_sorted_ > 0) return items_.front().logit;
  float max = -INFINITY;
  for (const Candidate& item : items_) max = std::max(max, item.logit);
  return max;
}

void Candidates::keep_prefix(size_t count) {
  ATELIER_CHECK(count <= num_sorted_ || count >= items_.size());
  if (count >= items_.size()) return;
  items_.resize(count);
  num_sorted_ = count;
}

void Candidates::keep_if(FunctionRef<bool(const Candidate&)> predicate) {
  size_t kept = 0, kept_sorted = 0;
  for (size_t i = 0; i < items_.size(); ++i) {
    if (!predicate(items_[i])) continue;
    items_[kept++] = items_[i];
    if (i < num_sorted_) kept_sorted = kept;
  }
  if (kept < items_.size()) is_dense_ = false;
  items_.resize(kept);
  num_sorted_ = kept_sorted;
}

double Candidates::exp_sum() {
  const float max = max_logit();
  double sum = 0;
  for (const Candidate& item : items_) sum += std::exp(static_cast<double>(item.logit) - max);
  return sum;
}

}  // namespace atelier::generate
