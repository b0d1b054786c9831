// How the rows of one step are shared out among the prompts that are being read.
//
// Every prompt gets an equal part of the budget, at least a page; where that is not enough for all, those that were served longest ago
// come first. What short prompts leave over goes to the others. So a long prompt never holds up a short one for longer than its part,
// and nobody waits for ever.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace atelier::generate {

struct PromptDemand {
  int64_t rows = 0;       // that could be run now, at least 1
  int64_t last_turn = 0;  // when it was served last: turns are counted one by one
};

struct PromptShare {
  size_t prompt;  // index into the demands
  int64_t rows;   // at least 1
};

// Who is served, in the order of their turns; the sum of the rows is at most `budget`.
std::vector<PromptShare> share_rows(std::span<const PromptDemand> demands, int64_t budget);

}  // namespace atelier::generate
