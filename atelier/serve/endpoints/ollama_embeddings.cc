// POST /api/embeddings: Ollama's older form of /api/embed: one text, one vector.
#include "atelier/serve/embedding_work.h"
#include "atelier/serve/generation_options.h"
#include "atelier/serve/ollama_words.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_model(ollama_model_name(call.body), model)) return error;
  EmbeddingInput input;
  if (auto error = read_embedding_input(*call.body.find("prompt"), *model, false, 0, input)) return error;
  return run_embeddings(call, *model, std::move(input), [reply = call.reply](std::span<const float> vector) {
    reply->send({200, {{"Content-Type", "application/json"}}, Json::object().set("embedding", vector_json(vector)).dump()});
  });
}

}  // namespace

extern const EndpointDef endpoint_ollama_embeddings;
const EndpointDef endpoint_ollama_embeddings = {"POST", "/api/embeddings", Shape::kOllama, false, handle};

}  // namespace atelier::serve
