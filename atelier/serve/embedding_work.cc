#include "atelier/serve/embedding_work.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "atelier/serve/generation_options.h"
#include "atelier/serve/turns.h"

namespace atelier::serve {
namespace {

constexpr size_t kTurnTokens = 512;  // of a piece of the work: an encoder's batch

struct Embedding {
  EmbeddingInput input;
  std::vector<float> vectors;
  size_t next = 0;
};

// Texts behind `begin` that make one piece.
size_t piece_end(const std::vector<std::vector<int32_t>>& ids, size_t begin) {
  size_t end = begin, tokens = 0;
  while (end < ids.size() && (end == begin || tokens + ids[end].size() <= kTurnTokens)) tokens += ids[end++].size();
  return end;
}

Result<EmbeddingInput> embedding_input(const Json& input, const ServedModel& model, bool truncates) {
  const models::SentenceEncoder& encoder = *model.encoder();
  const bool is_list = input.is_array() && !input.as_array()[0].is_number();
  EmbeddingInput out;
  for (const Json& one : is_list ? input.as_array() : Json::Array{input}) {
    models::EncodedText text;
    if (one.is_string()) {
      ATELIER_TRY(text, encoder.tokenize(one.as_string()));
    } else {
      std::vector<int32_t> ids;
      for (const Json& id : one.as_array()) ids.push_back(static_cast<int32_t>(id.as_int()));
      text = encoder.cut(std::move(ids));
    }
    for (const int32_t id : text.ids) {
      if (id >= model.model().spec().vocab_size)
        return Status::invalid(
            fmt::format("input: token id {} is outside the vocabulary of {}; see /tokenize", id, model.model().spec().vocab_size));
    }
    if (text.is_cut() && !truncates) {
      return Status::out_of_range(fmt::format("input[{}]: {} tokens, the model takes {}; shorten it, or set truncate", out.ids.size(),
                                              text.num_tokens, encoder.settings().max_length));
    }
    out.num_cut += text.is_cut();
    out.num_tokens += static_cast<int64_t>(text.ids.size());
    out.ids.push_back(std::move(text.ids));
  }
  return out;
}

}  // namespace

ApiError input_error(const Status& status) {
  ApiError error = api_error(status, "input");
  if (status.code() == StatusCode::kOutOfRange) error.code = "context_length_exceeded";
  return error;
}

std::optional<ApiError> read_embedding_input(const Json& input, const ServedModel& model, bool truncates, int64_t dimensions,
                                             EmbeddingInput& out) {
  if (model.encoder() == nullptr)
    return ApiError{400, fmt::format("model: {} makes no vectors of texts; use another", model.name()), "model"};
  const int64_t width = model.encoder()->width();
  if (dimensions > width) {
    return ApiError{400, fmt::format("dimensions: {}, the model's vectors have {}; ask for at most that", dimensions, width), "dimensions"};
  }
  auto read = embedding_input(input, model, truncates);
  if (!read.ok()) return input_error(read.status());
  out = std::move(*read);
  return std::nullopt;
}

std::optional<ApiError> run_embeddings(const Call& call, ServedModel& model, EmbeddingInput input,
                                       std::function<void(std::span<const float>)> done) {
  const auto width = static_cast<size_t>(model.encoder()->width());
  auto state = std::make_shared<Embedding>();
  state->vectors.resize(input.ids.size() * width);
  state->input = std::move(input);
  const auto piece = [state, &model, width]() -> Result<bool> {
    const size_t begin = state->next, end = piece_end(state->input.ids, begin);
    ATELIER_RETURN_IF_ERROR(model.encoder_to_run().encode_ids(std::span(state->input.ids).subspan(begin, end - begin),
                                                              std::span(state->vectors).subspan(begin * width, (end - begin) * width),
                                                              [] { return true; }));
    state->next = end;
    return end < state->input.ids.size();
  };
  return run_in_turns(call, piece, [state, done = std::move(done)] { done(state->vectors); });
}

std::vector<float> shortened(std::span<const float> vector, int64_t dimensions, bool is_normalized) {
  if (dimensions > 0) vector = vector.first(static_cast<size_t>(dimensions));
  std::vector<float> out(vector.begin(), vector.end());
  if (dimensions == 0 || !is_normalized) return out;
  double squares = 0;
  for (const float x : out) squares += static_cast<double>(x) * x;
  for (float& x : out) x = static_cast<float>(x / std::max(std::sqrt(squares), 1e-12));
  return out;
}

// A float's own shortest text, which a double's would not be.
Json vector_json(std::span<const float> vector) {
  Json array = Json::array();
  char text[32];
  for (const float x : vector) {
    const char* end = std::to_chars(text, text + sizeof text, x).ptr;
    double value = x;
    std::from_chars(text, end, value);
    array.push_back(value);
  }
  return array;
}

}  // namespace atelier::serve
