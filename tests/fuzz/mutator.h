// Damages seeds, the same way for the same numbers: mutant `run` of `seed` depends on nothing that ran before it.
//
// Blind to the format, with the changes that break readers: bits and bytes, sizes set to 0, 1, -1, powers of two and the file's own
// length, cut and repeated and exchanged parts, numbers in text, words of JSON and Jinja. Half of the changes hit the first 512
// bytes, where headers are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace atelier::fuzz {

class Mutator {
 public:
  explicit Mutator(std::vector<std::string> seeds) : seeds_(std::move(seeds)) {}  // at least one

  const std::vector<std::string>& seeds() const { return seeds_; }
  std::string mutant(uint64_t seed, uint64_t run) const;

 private:
  std::vector<std::string> seeds_;
};

}  // namespace atelier::fuzz
