#include "atelier/serve/ollama_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "atelier/base/strings.h"
#include "atelier/serve/generation_options.h"

namespace atelier::serve {
namespace {

constexpr std::pair<const char*, const char*> kOptions[] = {{"temperature", "temperature"},
                                                            {"top_p", "top_p"},
                                                            {"top_k", "top_k"},
                                                            {"min_p", "min_p"},
                                                            {"typical_p", "typical_p"},
                                                            {"repeat_penalty", "repetition_penalty"},
                                                            {"presence_penalty", "presence_penalty"},
                                                            {"frequency_penalty", "frequency_penalty"},
                                                            {"repeat_last_n", "penalty_window"},
                                                            {"dry_multiplier", "dry_multiplier"},
                                                            {"dry_base", "dry_base"},
                                                            {"dry_allowed_length", "dry_allowed_length"},
                                                            {"dry_penalty_last_n", "dry_window"},
                                                            {"dry_sequence_breakers", "dry_sequence_breakers"},
                                                            {"seed", "seed"},
                                                            {"stop", "stop"}};

Json nanoseconds(double seconds) { return {static_cast<int64_t>(seconds * 1e9)}; }

}  // namespace

Json openai_body(const Json& ollama) {
  Json body = Json::object();
  if (const Json* lora = ollama.find("lora")) body.set("lora", *lora);
  if (const Json* options = ollama.find("options"); options != nullptr && options->is_object()) {
    for (const auto& [from, to] : kOptions) {
      const Json* value = options->find(from);
      // -1 is the whole context, which is what 0 is here.
      if (value != nullptr) body.set(to, value->is_int() && value->as_int() == -1 ? Json(0) : *value);
    }
    if (const int64_t limit = integer_or(*options, "num_predict", -1); limit >= 0) body.set("max_tokens", limit);
  }
  if (const Json* format = ollama.find("format"); format != nullptr && !format->is_null()) {
    if (format->is_object()) body.set("response_format", Json::object().set("type", "json_schema").set("schema", *format));
    if (format->is_string() && format->as_string() == "json") body.set("response_format", Json::object().set("type", "json_object"));
  }
  if (const Json* think = ollama.find("think"); think != nullptr && think->is_bool()) {
    body.set("chat_template_kwargs", Json::object().set("enable_thinking", *think));
  }
  if (const Json* think = ollama.find("think"); think != nullptr && think->is_string()) body.set("reasoning_effort", *think);
  return body;
}

Status limit_context(const Json& ollama, const ServedModel& model, size_t num_prompt, generate::GenerateOptions& options) {
  const Json* stated = ollama.find("options");
  const int64_t context = stated != nullptr ? integer_or(*stated, "num_ctx", 0) : 0;
  if (context == 0) return {};
  if (context > model.context()) {
    return Status::invalid(fmt::format("options.num_ctx: {} tokens, {} was loaded with {}; start the server with a larger --context",
                                       context, model.name(), model.context()));
  }
  const int64_t left = context - static_cast<int64_t>(num_prompt);
  if (left < 1) return Status::out_of_range(fmt::format("options.num_ctx: {} tokens, the prompt has {}; raise it", context, num_prompt));
  options.max_tokens = options.max_tokens < 0 ? left : std::min(left, options.max_tokens);
  return {};
}

Result<std::optional<double>> ollama_keep_alive(const Json& ollama) {
  const Json* stated = ollama.find("keep_alive");
  if (stated == nullptr || stated->is_null()) return std::optional<double>();
  if (stated->is_number()) return std::optional<double>(stated->as_double());
  constexpr std::pair<std::string_view, double> kUnits[] = {{"ms", 1e-3}, {"h", 3600}, {"m", 60}, {"s", 1}};
  const auto invalid = [&] {
    return Status::invalid(fmt::format("keep_alive: {}, must be seconds or a duration such as 5m; correct it",
                                       quoted(stated->is_string() ? stated->as_string() : stated->dump())));
  };
  if (!stated->is_string()) return invalid();
  std::string_view text = stated->as_string();
  const double sign = text.starts_with("-") ? -1 : 1;
  if (sign < 0) text.remove_prefix(1);
  if (const auto plain = parse_double(text)) return std::optional<double>(sign * *plain);
  double seconds = 0;
  if (text.empty()) return invalid();
  while (!text.empty()) {
    const size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto value = parse_double(text.substr(0, digits));
    text.remove_prefix(digits);
    const auto* unit = std::find_if(std::begin(kUnits), std::end(kUnits), [&](const auto& known) { return text.starts_with(known.first); });
    if (!value || unit == std::end(kUnits)) return invalid();
    seconds += *value * unit->second;
    text.remove_prefix(unit->first.size());
  }
  return std::optional<double>(sign * seconds);
}

Json ollama_nothing_said(const Json& ollama, const ServedModel& model, void (*wrap)(Json&, const std::string&, const std::string&)) {
  const auto keep_alive_s = ollama_keep_alive(ollama);
  Json json = Json::object().set("model", model.name()).set("created_at", rfc3339(std::time(nullptr)));
  wrap(json, "", "");
  return json.set("done", true).set("done_reason", keep_alive_s.ok() && *keep_alive_s == 0.0 ? "unload" : "load");
}

std::string ollama_model_name(const Json& body) {
  const Json* member = body.find("model");
  if (member == nullptr) member = body.find("name");
  std::string name = member != nullptr && member->is_string() ? member->as_string() : "";
  if (name.ends_with(":latest")) name.resize(name.size() - 7);
  return name;
}

Json ollama_model(const EngineThread::Known& known) {
  Json json = Json::object().set("name", known.name).set("model", known.name).set("digest", "");
  json.set("size", known.model ? known.model->model().checkpoint().total_bytes() : known.bytes);
  return json.set("details", known.model ? ollama_details(*known.model) : Json::object());
}

Json ollama_details(const ServedModel& model) {
  const auto format = model.model().layout() == models::Layout::kGguf ? "gguf" : "safetensors";
  const std::string family = model.model().arch().name;
  Json details = Json::object().set("parent_model", "").set("format", format).set("family", family);
  int64_t num_parameters = 0;
  for (const format::TensorEntry& entry : model.model().checkpoint().entries()) num_parameters += entry.count();
  details.set("parameter_size", fmt::format("{:.1f}M", static_cast<double>(num_parameters) / 1e6));
  return details.set("families", Json::array().push_back(family)).set("quantization_level", "");
}

std::string rfc3339(int64_t unix_s) {
  const std::time_t time = unix_s;
  std::tm parts = {};
  gmtime_r(&time, &parts);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

OllamaWriter::OllamaWriter(const Call& call, const ServedModel& model, Wrap wrap, int64_t num_cut)
    : reply_(call.reply), model_(model), wrap_(wrap), is_stream_(flag_or(call.body, "stream", true)), num_cut_(num_cut) {}

Json OllamaWriter::line() const { return Json::object().set("model", model_.name()).set("created_at", rfc3339(std::time(nullptr))); }

void OllamaWriter::on_start() {
  if (is_stream_) reply_->start({200, {{"Content-Type", "application/x-ndjson"}, {"Cache-Control", "no-store"}}, ""});
}

Json OllamaWriter::with_calls() const {
  Json json = line();
  wrap_(json, content_, thinking_);
  if (calls_.empty()) return json;
  Json calls = Json::array();
  for (const ToolCallDelta& call : calls_) {
    auto arguments = Json::parse(call.arguments, "arguments");
    Json function = Json::object().set("index", static_cast<int64_t>(call.index)).set("name", call.name);
    calls.push_back(
        Json::object()
            .set("id", call.id)
            .set("function",
                 std::move(function.set("arguments", arguments.ok() && arguments->is_object() ? std::move(*arguments) : Json::object()))));
  }
  Json message = *json.find("message");
  return json.set("message", std::move(message.set("tool_calls", std::move(calls))));
}

void OllamaWriter::on_delta(size_t, Delta delta) {
  if (delta.call) {
    if (delta.call->index == calls_.size()) {
      calls_.push_back(std::move(*delta.call));
    } else {
      calls_[delta.call->index].arguments += delta.call->arguments;
    }
    return;
  }
  if (!is_stream_) {
    content_ += delta.content;
    thinking_ += delta.reasoning;
    return;
  }
  Json json = line();
  wrap_(json, delta.content, delta.reasoning);
  reply_->write(json.set("done", false).dump() + "\n");
}

void OllamaWriter::on_choice_end(size_t, const generate::Generation& generation) {
  finish_ =
      generation.finish == generate::FinishReason::kLength || generation.finish == generate::FinishReason::kContextFull ? "length" : "stop";
}

void OllamaWriter::on_done(const Usage& usage) {
  if (is_stream_ && !calls_.empty()) {
    reply_->write(with_calls().set("done", false).dump() + "\n");
    calls_.clear();
  }
  Json json = with_calls();
  if (num_cut_ > 0) json.set("truncated_messages", num_cut_);
  json.set("done", true).set("done_reason", finish_);
  json.set("total_duration", nanoseconds(usage.queued_s + usage.prefill_s + usage.decode_s)).set("load_duration", 0);
  json.set("prompt_eval_count", usage.num_prompt).set("prompt_eval_duration", nanoseconds(usage.prefill_s));
  json.set("eval_count", usage.num_completion).set("eval_duration", nanoseconds(usage.decode_s));
  if (!is_stream_) return reply_->send({200, {{"Content-Type", "application/json"}}, json.dump()});
  reply_->write(json.dump() + "\n");
  reply_->end();
}

void OllamaWriter::on_failed(const ApiError& error) {
  if (!is_stream_) return reply_->send(error_response(error, Shape::kOllama));
  reply_->write(error_json(error, Shape::kOllama).dump() + "\n");
  reply_->end();
}

}  // namespace atelier::serve
