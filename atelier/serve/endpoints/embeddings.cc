// POST /v1/embeddings: vectors of texts, as lists of numbers or in base64 (float32, little-endian).
#include <bit>

#include "atelier/serve/base64.h"
#include "atelier/serve/embedding_work.h"
#include "atelier/serve/generation_options.h"

namespace atelier::serve {
namespace {

static_assert(std::endian::native == std::endian::little);  // what clients expect of the bytes

std::optional<ApiError> handle(Call& call) {
  const Json& body = call.body;
  ServedModel* model = nullptr;
  if (auto error = call.find_model(text_or(body, "model", ""), model)) return error;
  const int64_t dimensions = integer_or(body, "dimensions", 0);
  EmbeddingInput input;
  if (auto error = read_embedding_input(*body.find("input"), *model, flag_or(body, "truncate", false), dimensions, input)) return error;
  const int64_t num_tokens = input.num_tokens, num_cut = input.num_cut;
  const bool is_base64 = text_or(body, "encoding_format", "float") == "base64";
  const auto done = [=, reply = call.reply](std::span<const float> vectors) {
    const auto width = static_cast<size_t>(model->encoder()->width());
    Json data = Json::array();
    for (size_t i = 0; i * width < vectors.size(); ++i) {
      const auto vector = shortened(vectors.subspan(i * width, width), dimensions, model->encoder()->settings().is_normalized);
      Json embedding = is_base64 ? Json(encode_base64(std::as_bytes(std::span(vector)))) : vector_json(vector);
      data.push_back(
          Json::object().set("object", "embedding").set("index", static_cast<int64_t>(i)).set("embedding", std::move(embedding)));
    }
    Json json = Json::object().set("object", "list").set("data", std::move(data)).set("model", model->name());
    json.set("usage", Json::object().set("prompt_tokens", num_tokens).set("total_tokens", num_tokens));
    if (num_cut > 0) json.set("truncated", num_cut);
    reply->send({200, {{"Content-Type", "application/json"}}, json.dump()});
  };
  return run_embeddings(call, *model, std::move(input), done);
}

}  // namespace

extern const EndpointDef endpoint_embeddings;
const EndpointDef endpoint_embeddings = {"POST", "/v1/embeddings", Shape::kOpenAi, false, handle};

}  // namespace atelier::serve
