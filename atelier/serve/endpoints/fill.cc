// POST /v1/fill: the likeliest tokens of each <mask> of a text.
#include <cmath>

#include "atelier/generate/fill_mask.h"
#include "atelier/serve/generation_options.h"
#include "atelier/serve/openai_words.h"
#include "atelier/serve/turns.h"

namespace atelier::serve {
namespace {

Json mask_json(const generate::FilledMask& filled, const ServedModel& model) {
  Json tokens = Json::array();
  for (const auto& [id, logprob] : filled.top) {
    Json token = Json::object().set("id", id).set("token", model.token_text()(id));
    tokens.push_back(token.set("logprob", finite_logprob(logprob)).set("probability", std::exp(logprob)));
  }
  return Json::object().set("position", filled.position).set("tokens", std::move(tokens));
}

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_model(text_or(call.body, "model", ""), model)) return error;
  auto masked = generate::masked_input(model->model(), text_or(call.body, "text", ""));
  if (!masked.ok()) return api_error(masked.status(), "text");
  const auto num_top = static_cast<int>(integer_or(call.body, "top", 5));
  const auto filled = std::make_shared<std::vector<generate::FilledMask>>();
  const auto piece = [=, masked = std::move(*masked)]() -> Result<bool> {
    ATELIER_TRY(*filled, generate::fill_masks(model->model_to_run(), masked, num_top));
    return false;
  };
  return run_in_turns(call, piece, [filled, model, reply = call.reply] {
    Json masks = Json::array();
    for (const generate::FilledMask& one : *filled) masks.push_back(mask_json(one, *model));
    const Json json = Json::object().set("object", "list").set("model", model->name()).set("masks", std::move(masks));
    reply->send({200, {{"Content-Type", "application/json"}}, json.dump()});
  });
}

}  // namespace

extern const EndpointDef endpoint_fill;
const EndpointDef endpoint_fill = {"POST", "/v1/fill", Shape::kOpenAi, false, handle};

}  // namespace atelier::serve
