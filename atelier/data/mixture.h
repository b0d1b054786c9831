// Which of several parts each draw comes from, by weight, and the how-manieth of that part it is.
#pragma once

#include <cstdint>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/base/status.h"

namespace atelier::data {

class Mixture {
 public:
  // Weights are positive; a part's share of the draws is its weight over their sum.
  Mixture(std::vector<double> weights, uint64_t seed);

  struct Draw {
    size_t part;
    int64_t number;  // 0 for the first of this part
  };
  Draw next();

  int64_t num_draws() const;
  Json cursor() const;  // draws of each part
  Status restore(const Json& cursor);

 private:
  std::vector<double> borders_;  // cumulated shares
  std::vector<int64_t> drawn_;
  uint64_t seed_;
};

}  // namespace atelier::data
