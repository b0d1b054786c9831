// An importance matrix: for each matrix of a model, the mean square of the input that meets each of its columns, measured on a text.
// Packing then spends its precision where the input is large.
//
// Files are llama.cpp's, in both of its formats: GGUF with "general.type" = "imatrix" and tensors NAME.in_sum2 [1, K], NAME.counts [1],
// which we write, and the older ".dat" (i32 entries; for each: i32 length, name, i32 calls, i32 values, f32 sums).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "atelier/base/status.h"

namespace atelier::convert {

class ImportanceMatrix {
 public:
  static Result<ImportanceMatrix> load(const std::string& path);
  Status save(const std::string& path, const std::string& dataset) const;

  // Adds the squares of rows x [T, K] to the sums of matrix `name` (its name in GGUF, "blk.0.attn_q.weight").
  void add(const std::string& name, std::span<const float> x, int64_t K);

  // Mean squares [K] of a matrix, or nothing when it was never met. An error when K differs.
  Result<std::vector<float>> of(const std::string& name, int64_t K) const;

  int64_t size() const { return static_cast<int64_t>(entries_.size()); }

 private:
  struct Entry {
    std::vector<float> sums;  // [K] of squares
    float count = 0;          // rows seen
  };
  static Result<ImportanceMatrix> load_gguf(const std::string& path);
  static Result<ImportanceMatrix> load_dat(const std::string& path);
  Status add_entry(std::string name, Entry entry);

  std::map<std::string, Entry> entries_;
};

}  // namespace atelier::convert
