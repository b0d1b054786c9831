// Rows of running text: every token is predicted from those before it in its row.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "atelier/data/mixture.h"
#include "atelier/data/row.h"

namespace atelier::data {

struct TokenPart {
  std::span<const int32_t> tokens;  // outlives the source
  double weight = 1;
};

// crops    `context` tokens from a random place                                                    (nanoGPT)
// blocks   the text cut every `context` tokens, in a new random order in each epoch               (run_clm of transformers)
enum class TokenSampling : uint8_t { kCrops, kBlocks };

// Errors: a part too short for one row.
Result<std::unique_ptr<RowSource>> token_rows(std::vector<TokenPart> parts, TokenSampling sampling, int64_t context, uint64_t seed);

// All blocks of `tokens` in order, the last one shorter: each token but the first is predicted once.
std::vector<Row> consecutive_rows(std::span<const int32_t> tokens, int64_t context);

}  // namespace atelier::data
