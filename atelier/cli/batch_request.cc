#include "atelier/cli/batch_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "atelier/base/strings.h"
#include "atelier/generate/sampler_chain.h"

namespace atelier::cli {
namespace {

const std::vector<std::string> kKeys = {"id",           "prompt",         "messages",         "max_tokens",         "temperature", "top_k",
                                        "top_p",        "min_p",          "typical_p",        "repetition_penalty", "seed",        "stop",
                                        "top_logprobs", "penalty_window", "presence_penalty", "frequency_penalty",  "adapter"};

Status check_keys(const Json& line) {
  for (const auto& [key, value] : line.as_object()) {
    if (std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end()) continue;
    const std::string nearest = nearest_name(key, kKeys);
    return Status::invalid(
        fmt::format("{}: unknown key; {}", key, nearest.empty() ? "see docs/guide/batch.md" : "did you mean " + nearest + "?"));
  }
  return {};
}

Result<std::vector<std::string>> stop_strings(const Json& line, std::vector<std::string> fallback) {
  const Json* stop = line.find("stop");
  if (stop == nullptr || stop->is_null()) return fallback;
  if (stop->is_string()) return std::vector<std::string>{stop->as_string()};
  std::vector<std::string> stops;
  for (const Json& text : stop->is_array() ? stop->as_array() : Json::Array{Json()}) {
    if (!text.is_string()) return Status::invalid("stop: must be a string or a list of strings; correct it");
    stops.push_back(text.as_string());
  }
  return stops;
}

Status read_sampling(const Json& line, generate::SamplingOptions& sampling) {
  ATELIER_TRY(sampling.temperature, line.get_double("temperature", sampling.temperature));
  ATELIER_TRY(sampling.top_k, line.get_int("top_k", sampling.top_k));
  ATELIER_TRY(sampling.top_p, line.get_double("top_p", sampling.top_p));
  ATELIER_TRY(sampling.min_p, line.get_double("min_p", sampling.min_p));
  ATELIER_TRY(sampling.typical_p, line.get_double("typical_p", sampling.typical_p));
  ATELIER_TRY(sampling.repetition_penalty, line.get_double("repetition_penalty", sampling.repetition_penalty));
  ATELIER_TRY(sampling.presence_penalty, line.get_double("presence_penalty", sampling.presence_penalty));
  ATELIER_TRY(sampling.frequency_penalty, line.get_double("frequency_penalty", sampling.frequency_penalty));
  ATELIER_TRY(sampling.penalty_window, line.get_int("penalty_window", sampling.penalty_window));
  ATELIER_TRY(const int64_t seed, line.get_int("seed", static_cast<int64_t>(sampling.seed)));
  sampling.seed = static_cast<uint64_t>(seed);
  return generate::check_sampling_options(sampling);
}

// A name, or an object of names and weights; null or an empty one is the model alone.
Result<std::vector<generate::AdapterChoice>> adapters(const Json& line, std::vector<generate::AdapterChoice> fallback) {
  const Json* adapter = line.find("adapter");
  if (adapter == nullptr) return fallback;
  std::vector<generate::AdapterChoice> choices;
  if (adapter->is_null()) return choices;
  if (adapter->is_string()) return std::vector<generate::AdapterChoice>{{adapter->as_string()}};
  if (!adapter->is_object()) return Status::invalid("adapter: must be a name or an object of names and weights; correct it");
  for (const auto& [id, value] : adapter->as_object()) {
    ATELIER_TRY(const double weight, adapter->get_double(id));
    choices.push_back({id, static_cast<float>(weight)});
  }
  return choices;
}

Status read_content(const Json& line, BatchLine& out) {
  const Json* messages = line.find("messages");
  if ((messages != nullptr) == line.contains("prompt")) {
    return Status::invalid("prompt, messages: a line needs one of them; give the other line an id of its own");
  }
  if (messages == nullptr) {
    ATELIER_TRY(out.prompt, line.get_string("prompt"));
    return {};
  }
  if (!messages->is_array() || messages->as_array().empty()) return Status::invalid("messages: must be a list of messages; correct it");
  for (const Json& message : messages->as_array()) {
    if (!message.is_object()) return Status::invalid("messages: each must be an object with role and content; correct it");
    ATELIER_TRY([[maybe_unused]] const std::string role, message.get_string("role"));
  }
  out.messages = *messages;
  return {};
}

}  // namespace

Json batch_id(const Json& line, int64_t number) {
  const Json* id = line.find("id");
  return id != nullptr && (id->is_string() || id->is_int()) ? *id : Json(number);
}

Result<BatchLine> parse_batch_line(const Json& line, int64_t number, const generate::GenerateOptions& defaults) {
  if (!line.is_object()) return Status::invalid("line: must be an object such as {\"id\": 1, \"prompt\": \"Hello\"}; correct it");
  ATELIER_RETURN_IF_ERROR(check_keys(line));
  BatchLine out{batch_id(line, number), {}, {}, defaults};
  if (line.contains("id") && out.id != *line.find("id")) return Status::invalid("id: must be a string or an integer; correct it");
  ATELIER_RETURN_IF_ERROR(read_content(line, out));
  ATELIER_RETURN_IF_ERROR(read_sampling(line, out.options.sampling));
  ATELIER_TRY(out.options.max_tokens, line.get_int("max_tokens", defaults.max_tokens));
  ATELIER_TRY(const int64_t num_top, line.get_int("top_logprobs", defaults.num_top));
  if (num_top < 0 || num_top > 100) return Status::invalid(fmt::format("top_logprobs: {}, must be 0 to 100; correct it", num_top));
  out.options.num_top = static_cast<int>(num_top);
  ATELIER_TRY(out.options.adapters, adapters(line, defaults.adapters));
  ATELIER_TRY(out.options.stop_strings, stop_strings(line, defaults.stop_strings));
  return out;
}

}  // namespace atelier::cli
