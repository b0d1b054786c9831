#include "atelier/generate/step_plan.h"

#include <algorithm>

#include "atelier/nn/kv_pool.h"

namespace atelier::generate {

std::vector<PromptShare> share_rows(std::span<const PromptDemand> demands, int64_t budget) {
  std::vector<PromptShare> shares;
  for (size_t i = 0; i < demands.size(); ++i) shares.push_back({i, 0});
  std::stable_sort(shares.begin(), shares.end(),
                   [&](const PromptShare& a, const PromptShare& b) { return demands[a.prompt].last_turn < demands[b.prompt].last_turn; });
  const int64_t part = std::max(nn::kPageTokens, budget / std::max<int64_t>(1, static_cast<int64_t>(demands.size())));
  for (const int64_t limit : {part, budget}) {  // first everybody's part, then what is left over
    for (PromptShare& share : shares) {
      const int64_t more = std::min({demands[share.prompt].rows - share.rows, limit, budget});
      share.rows += more;
      budget -= more;
    }
  }
  std::erase_if(shares, [](const PromptShare& share) { return share.rows == 0; });
  return shares;
}

}  // namespace atelier::generate
