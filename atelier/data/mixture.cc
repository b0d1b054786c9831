#include "atelier/data/mixture.h"

#include <algorithm>
#include <numeric>

#include "atelier/base/error.h"
#include "atelier/base/rng.h"

namespace atelier::data {
namespace {

constexpr uint64_t kStream = 0x6d6978;  // of random numbers, apart from those of the parts

}  // namespace

Mixture::Mixture(std::vector<double> weights, uint64_t seed) : borders_(std::move(weights)), drawn_(borders_.size(), 0), seed_(seed) {
  ATELIER_CHECK(!borders_.empty());
  const double sum = std::accumulate(borders_.begin(), borders_.end(), 0.0);
  double total = 0;
  for (double& weight : borders_) weight = (total += weight) / sum;
}

Mixture::Draw Mixture::next() {
  const double u = random_uniform(seed_, kStream, static_cast<uint64_t>(num_draws()));
  const auto found = static_cast<size_t>(std::upper_bound(borders_.begin(), borders_.end(), u) - borders_.begin());
  const size_t part = std::min(found, borders_.size() - 1);
  return {part, drawn_[part]++};
}

int64_t Mixture::num_draws() const { return std::accumulate(drawn_.begin(), drawn_.end(), int64_t{0}); }

Json Mixture::cursor() const {
  Json json = Json::array();
  for (const int64_t count : drawn_) json.push_back(count);
  return json;
}

Status Mixture::restore(const Json& cursor) {
  if (!cursor.is_array() || cursor.as_array().size() != drawn_.size()) {
    return Status::corrupt("data cursor: " + cursor.dump() + ", must be " + std::to_string(drawn_.size()) +
                           " counts; resume with the data files that the run began with");
  }
  for (size_t i = 0; i < drawn_.size(); ++i) {
    const Json& count = cursor.as_array()[i];
    if (!count.is_int() || count.as_int() < 0) return Status::corrupt("data cursor: " + cursor.dump() + ", must hold counts");
    drawn_[i] = count.as_int();
  }
  return {};
}

}  // namespace atelier::data
