#include "atelier/generate/staged_mask.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "atelier/base/strings.h"

namespace atelier::generate {
namespace {

class StagedMask {
 public:
  StagedMask(std::shared_ptr<Constraint> constraint, std::vector<int32_t> stop_ids, MaskStages stages)
      : constraint_(std::move(constraint)), stop_ids_(std::move(stop_ids)), stages_(std::move(stages)) {
    if (stages_.thought != ThoughtStart::kNone) thought_enders_ = enders(stages_.tags.close);
    sign_enders_ = enders(stages_.sign);
    restart();
  }

  Status operator()(std::span<const int32_t> answer, std::span<uint64_t> allowed) {
    if (answer.size() < num_read_) restart();  // another answer
    for (; num_read_ < answer.size(); ++num_read_) {
      if (at_ == At::kConstrained) break;
      read(constraint_->vocabulary().of(answer[num_read_]), num_read_ + 1);
    }
    if (at_ == At::kConstrained) {
      num_read_ = answer.size();
      return constrained_(answer.subspan(first_), allowed);
    }
    return allow(allowed);
  }

 private:
  // Whether a thought begins is not known yet; in one; before the sign; behind it.
  enum class At { kOpening, kThought, kFree, kConstrained };

  void restart() {
    num_read_ = first_ = 0;
    pending_.clear();
    constrained_ = {};
    at_ = stages_.thought == ThoughtStart::kInside ? At::kThought : stages_.thought == ThoughtStart::kMayOpen ? At::kOpening : At::kFree;
    if (at_ == At::kFree && stages_.sign.empty()) constrain("", 0);
  }

  void constrain(const std::string& begun, size_t first) {
    at_ = At::kConstrained;
    first_ = first;
    constrained_ = constraint_->mask(stop_ids_, begun);
  }

  // Where the answer is behind these bytes; what is left of them belongs to the constraint's text.
  struct Place {
    At at;
    std::string pending;
  };
  Place place_behind(At at, std::string pending) const {
    while (true) {
      if (at == At::kOpening) {
        if (pending.starts_with(stages_.tags.open)) {
          pending.erase(0, stages_.tags.open.size());
          at = At::kThought;
        } else if (stages_.tags.open.starts_with(pending)) {
          return {at, std::move(pending)};
        } else {
          at = At::kFree;
        }
      } else if (at == At::kConstrained || (at == At::kFree && stages_.sign.empty())) {
        return {At::kConstrained, std::move(pending)};
      } else {
        const std::string_view sign = at == At::kThought ? stages_.tags.close : std::string_view(stages_.sign);
        const size_t found = pending.find(sign);
        if (found == std::string::npos) {
          if (pending.size() >= sign.size()) pending.erase(0, pending.size() - sign.size() + 1);
          return {at, std::move(pending)};
        }
        pending.erase(0, found + sign.size());
        if (at == At::kThought) pending.erase(0, std::min(pending.find_first_not_of(" \n\r\t"), pending.size()));
        at = at == At::kThought ? At::kFree : At::kConstrained;
      }
    }
  }

  void read(const std::string& bytes, size_t num_tokens) {
    Place place = place_behind(at_, pending_ + bytes);
    at_ = place.at;
    pending_ = std::move(place.pending);
    if (at_ == At::kConstrained) constrain(std::exchange(pending_, {}), num_tokens);
  }

  Status allow(std::span<uint64_t> allowed) {
    const auto set = [&](int32_t id, bool may_come) {
      const auto word = static_cast<size_t>(id) / 64;
      if (id < 0 || word >= allowed.size()) return;
      const uint64_t bit = uint64_t{1} << (id % 64);
      allowed[word] = may_come ? allowed[word] | bit : allowed[word] & ~bit;
    };
    std::fill(allowed.begin(), allowed.end(), ~uint64_t{0});
    const TokenBytes& vocabulary = constraint_->vocabulary();
    const auto check = [&](int32_t id) {
      const Place place = place_behind(at_, pending_ + vocabulary.of(id));
      if (place.at == At::kConstrained && !constraint_->accepts_beginning(place.pending)) set(id, false);
    };
    if (at_ == At::kOpening) {
      for (const TokenBytes::Entry& entry : vocabulary.entries()) check(entry.id);
    } else {
      for (const int32_t id : at_ == At::kThought ? thought_enders_ : sign_enders_) check(id);
    }
    for (const int32_t id : stop_ids_) set(id, at_ == At::kFree);
    return {};
  }

  // Tokens that hold a sign's last byte: those with which it may end.
  std::vector<int32_t> enders(std::string_view sign) const {
    std::vector<int32_t> ids;
    for (const TokenBytes::Entry& entry : constraint_->vocabulary().entries()) {
      if (!sign.empty() && entry.bytes.find(sign.back()) != std::string::npos) ids.push_back(entry.id);
    }
    return ids;
  }

  std::shared_ptr<Constraint> constraint_;
  std::vector<int32_t> stop_ids_;
  MaskStages stages_;
  std::vector<int32_t> thought_enders_, sign_enders_;
  At at_ = At::kFree;
  std::string pending_;  // the end of what was said that may be the beginning of a sign
  TokenMask constrained_;
  size_t num_read_ = 0, first_ = 0;  // tokens of the answer; those before the constraint
};

}  // namespace

TokenMask staged_mask(std::shared_ptr<Constraint> constraint, std::vector<int32_t> stop_ids, const MaskStages& stages) {
  return [mask = StagedMask(std::move(constraint), std::move(stop_ids), stages)](
             std::span<const int32_t> answer, std::span<uint64_t> allowed) mutable { return mask(answer, allowed); };
}

}  // namespace atelier::generate
