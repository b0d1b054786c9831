// POST /v1/inspect: attention, the residual stream and the logit lens of a text, as `atelier trace` shows them (generate/trace.h). Computed
// between two steps of the engines.
#include "atelier/generate/trace.h"

#include "atelier/serve/endpoint.h"
#include "atelier/serve/generation_options.h"

namespace atelier::serve {
namespace {

std::vector<int64_t> numbers(const Json& body, std::string_view key) {
  std::vector<int64_t> out;
  if (const Json* list = body.find(key); list != nullptr && list->is_array()) {
    for (const Json& number : list->as_array()) out.push_back(number.as_int());
  }
  return out;
}

Result<std::vector<int32_t>> input_ids(const Json& body, const ServedModel& model) {
  const std::vector<int64_t> given = numbers(body, "ids");
  if (given.empty() == (body.find("prompt") == nullptr)) return Status::invalid("prompt: one of prompt and ids is needed; give one");
  if (!given.empty()) return std::vector<int32_t>(given.begin(), given.end());
  tokenize::EncodeOptions options;
  options.parse_special = flag_or(body, "parse_special", false);
  return model.tokenizer().encode_ids(text_or(body, "prompt", ""), options);
}

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_model(text_or(call.body, "model", ""), model)) return error;
  auto ids = input_ids(call.body, *model);
  if (!ids.ok()) return api_error(ids.status(), "prompt");
  if (static_cast<int64_t>(ids->size()) > model->context()) {
    return ApiError{
        400, "prompt: " + std::to_string(ids->size()) + " tokens, the context holds " + std::to_string(model->context()) + "; shorten it",
        "prompt", "context_length_exceeded"};
  }
  generate::TraceRequest request;
  request.ids = std::move(*ids);
  const std::string what = text_or(call.body, "what", "lens");
  request.has_attention = what == "attention";
  request.has_residual = what == "residual";
  request.has_lens = what == "lens";
  request.layers = numbers(call.body, "layers");
  request.heads = numbers(call.body, "heads");
  request.positions = numbers(call.body, "positions");
  request.num_top = static_cast<int>(integer_or(call.body, "top", 5));
  return refusal(call.engines.run_between_steps([model, request = std::move(request), reply = call.reply] {
    const auto trace = generate::trace(model->model_to_run(), request);
    if (!trace.ok()) return reply->send(error_response(api_error(trace.status()), Shape::kOpenAi));
    reply->send({200, {{"Content-Type", "application/json"}}, generate::to_json(*trace, &model->tokenizer()).dump()});
  }));
}

}  // namespace

extern const EndpointDef endpoint_trace;
const EndpointDef endpoint_trace = {"POST", "/v1/inspect", Shape::kOpenAi, false, handle};

}  // namespace atelier::serve
