// Vectors of texts for the endpoints that give them: /v1/embeddings, Ollama's two, /v1/rerank.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "atelier/serve/endpoint.h"

namespace atelier::serve {

struct EmbeddingInput {
  std::vector<std::vector<int32_t>> ids;  // by text
  int64_t num_tokens = 0, num_cut = 0;    // of all texts; texts that lost their end
};

// What a request's texts are refused for.
ApiError input_error(const Status& status);

// A text, its token ids, or a list of either, for a model that makes vectors. 400 where it makes none or `dimensions` (0: all) are more
// than its vectors have, and for a text of more tokens than it takes, with both numbers, unless `truncates`.
std::optional<ApiError> read_embedding_input(const Json& input, const ServedModel& model, bool truncates, int64_t dimensions,
                                             EmbeddingInput& out);

// Computes them in turns; `done` gets [texts, width] row-major and sends the answer.
std::optional<ApiError> run_embeddings(const Call& call, ServedModel& model, EmbeddingInput input,
                                       std::function<void(std::span<const float> vectors)> done);

// The first `dimensions` numbers of a vector, of length 1 again where the model's vectors are. All of them when it is 0.
std::vector<float> shortened(std::span<const float> vector, int64_t dimensions, bool is_normalized);

Json vector_json(std::span<const float> vector);

}  // namespace atelier::serve
