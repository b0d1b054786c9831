#include <algorithm>

#include "atelier/generate/speculator.h"

namespace atelier::generate {
namespace {

constexpr size_t kLongest = 4, kShortest = 2;  // tokens that must agree; longer agreements are looked for first

class LookupSpeculator : public Speculator {
 public:
  Status propose(std::span<Task> tasks) override {
    for (Task& task : tasks) task.tokens = look_up(task.answer->text_tokens(), task.max_tokens);
    return {};
  }
};

}  // namespace

std::vector<int32_t> look_up(std::span<const int32_t> tokens, int64_t max_tokens) {
  for (size_t length = std::min(kLongest, tokens.size() - 1); length >= kShortest; --length) {
    const std::span<const int32_t> tail = tokens.last(length);
    const std::span<const int32_t> before = tokens.first(tokens.size() - 1);  // an occurrence that something follows
    const auto found = std::find_end(before.begin(), before.end(), tail.begin(), tail.end());
    if (found == before.end()) continue;
    const auto next = static_cast<size_t>(found - before.begin()) + length;
    const auto count = std::min(static_cast<size_t>(max_tokens), tokens.size() - next);
    return {tokens.begin() + static_cast<std::ptrdiff_t>(next), tokens.begin() + static_cast<std::ptrdiff_t>(next + count)};
  }
  return {};
}

std::unique_ptr<Speculator> lookup_speculator() { return std::make_unique<LookupSpeculator>(); }

}  // namespace atelier::generate
