// POST /api/embed: Ollama's vectors of one text or several.
#include <chrono>

#include "atelier/serve/embedding_work.h"
#include "atelier/serve/generation_options.h"
#include "atelier/serve/ollama_words.h"

namespace atelier::serve {
namespace {

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_model(ollama_model_name(call.body), model)) return error;
  const int64_t dimensions = integer_or(call.body, "dimensions", 0);
  EmbeddingInput input;
  if (auto error = read_embedding_input(*call.body.find("input"), *model, flag_or(call.body, "truncate", false), dimensions, input))
    return error;
  const int64_t num_tokens = input.num_tokens, num_cut = input.num_cut;
  const auto begin = std::chrono::steady_clock::now();
  const auto done = [=, reply = call.reply](std::span<const float> vectors) {
    const auto width = static_cast<size_t>(model->encoder()->width());
    Json all = Json::array();
    for (size_t i = 0; i < vectors.size(); i += width)
      all.push_back(vector_json(shortened(vectors.subspan(i, width), dimensions, model->encoder()->settings().is_normalized)));
    Json json = Json::object().set("model", model->name()).set("embeddings", std::move(all));
    const auto passed = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin);
    json.set("total_duration", static_cast<int64_t>(passed.count())).set("load_duration", 0).set("prompt_eval_count", num_tokens);
    if (num_cut > 0) json.set("truncated", num_cut);
    reply->send({200, {{"Content-Type", "application/json"}}, json.dump()});
  };
  return run_embeddings(call, *model, std::move(input), done);
}

}  // namespace

extern const EndpointDef endpoint_ollama_embed;
const EndpointDef endpoint_ollama_embed = {"POST", "/api/embed", Shape::kOllama, false, handle};

}  // namespace atelier::serve
