// POST /v1/classify: labels of texts, or of pairs of texts, by the head that a model was tuned with.
#include <fmt/format.h>

#include <algorithm>

#include "atelier/models/head_outputs.h"
#include "atelier/serve/embedding_work.h"
#include "atelier/serve/generation_options.h"
#include "atelier/serve/turns.h"

namespace atelier::serve {
namespace {

struct Classification {
  std::vector<models::EncoderInput> inputs;
  int64_t num_tokens = 0, num_cut = 0;
  Json data = Json::array();
};

// One of `input`: a text, or two as a list.
Result<models::EncoderInput> encode(const Json& one, const ServedModel& model, int64_t max_length) {
  if (one.is_string()) return models::encode_text(model.tokenizer(), one.as_string(), max_length);
  return models::encode_pair(model.tokenizer(), one.as_array()[0].as_string(), one.as_array()[1].as_string(), max_length);
}

Status read_inputs(const Json& input, const ServedModel& model, bool truncates, Classification& out) {
  const int64_t context = model.model().context();
  for (const Json& one : input.is_array() ? input.as_array() : Json::Array{input}) {
    ATELIER_TRY(models::EncoderInput encoded, encode(one, model, int64_t{1} << 40));
    if (const auto length = static_cast<int64_t>(encoded.ids.size()); length > context) {
      if (!truncates) {
        return Status::out_of_range(
            fmt::format("input[{}]: {} tokens, the model takes {}; shorten it, or set truncate", out.inputs.size(), length, context));
      }
      ATELIER_TRY(encoded, encode(one, model, context));
      ++out.num_cut;
    }
    out.num_tokens += static_cast<int64_t>(encoded.ids.size());
    out.inputs.push_back(std::move(encoded));
  }
  return {};
}

Json result_json(const nn::HeadSpec& head, std::span<const float> logits, size_t index) {
  const std::vector<double> values = models::label_values(head, logits);
  const auto best = std::max_element(values.begin(), values.end()) - values.begin();
  Json all = Json::object(), list = Json::array();
  for (size_t i = 0; i < values.size(); ++i) {
    all.set(models::label_name(head, static_cast<int64_t>(i)), values[i]);
    list.push_back(values[i]);
  }
  Json json = Json::object().set("index", static_cast<int64_t>(index));
  json.set("label", head.problem == nn::ProblemKind::kOneLabel ? Json(models::label_name(head, best)) : Json());
  return json.set("probs", std::move(list)).set("num_classes", static_cast<int64_t>(values.size())).set("values", std::move(all));
}

std::optional<ApiError> handle(Call& call) {
  ServedModel* model = nullptr;
  if (auto error = call.find_model(text_or(call.body, "model", ""), model)) return error;
  const nn::HeadSpec& head = model->model().spec().head;
  if (head.kind != nn::HeadKind::kSequence && head.kind != nn::HeadKind::kNextSentence)
    return ApiError{400, fmt::format("model: {} has no head that labels texts; use a model that was tuned with one", model->name()),
                    "model"};
  auto work = std::make_shared<Classification>();
  if (const Status status = read_inputs(*call.body.find("input"), *model, flag_or(call.body, "truncate", false), *work); !status.ok())
    return input_error(status);
  const auto piece = [work, model]() -> Result<bool> {
    const size_t index = work->data.as_array().size();
    const nn::RowRun run = models::run_of(work->inputs[index]);
    ATELIER_RETURN_IF_ERROR(model->model_to_run().run(work->inputs[index].ids, std::span(&run, 1)));
    work->data.push_back(result_json(model->model().spec().head, model->model_to_run().task_logits(), index));
    return index + 1 < work->inputs.size();
  };
  return run_in_turns(call, piece, [work, model, reply = call.reply] {
    Json json = Json::object().set("object", "list").set("model", model->name()).set("data", std::move(work->data));
    json.set("usage", Json::object().set("prompt_tokens", work->num_tokens).set("total_tokens", work->num_tokens));
    if (work->num_cut > 0) json.set("truncated", work->num_cut);
    reply->send({200, {{"Content-Type", "application/json"}}, json.dump()});
  });
}

}  // namespace

extern const EndpointDef endpoint_classify;
const EndpointDef endpoint_classify = {"POST", "/v1/classify", Shape::kOpenAi, false, handle};

}  // namespace atelier::serve
