#include "atelier/serve/openai_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "atelier/base/version.h"
#include "atelier/kernels/isa.h"

namespace atelier::serve {
namespace {

Json token_json(const generate::TokenLogprob& token, const generate::TokenText& text) {
  Json bytes = Json::array();
  for (const unsigned char byte : text.bytes(token.id)) bytes.push_back(static_cast<int>(byte));
  return Json::object().set("token", text(token.id)).set("logprob", finite_logprob(token.logprob)).set("bytes", std::move(bytes));
}

}  // namespace

double finite_logprob(double logprob) { return std::max(logprob, -9999.0); }

Json usage_json(const Usage& usage) {
  Json json = Json::object().set("prompt_tokens", usage.num_prompt).set("completion_tokens", usage.num_completion);
  json.set("total_tokens", usage.num_prompt + usage.num_completion);
  return json.set("prompt_tokens_details", Json::object().set("cached_tokens", usage.num_cached));
}

Json logprobs_json(const std::vector<generate::TokenReport>& tokens, const generate::TokenText& text) {
  Json array = Json::array();
  for (const generate::TokenReport& report : tokens) {
    Json top = Json::array();
    for (const generate::TokenLogprob& token : report.top) top.push_back(token_json(token, text));
    array.push_back(token_json({report.id, report.logprob}, text).set("top_logprobs", std::move(top)));
  }
  return array;
}

const char* openai_finish_reason(generate::FinishReason reason) {
  return reason == generate::FinishReason::kLength || reason == generate::FinishReason::kContextFull ? "length" : "stop";
}

std::string sse_data(const Json& json) { return "data: " + json.dump() + "\n\n"; }

std::string sse_event(const Json& json) { return "event: " + json.find("type")->as_string() + "\n" + sse_data(json); }

http::Response sse_head() { return {200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}}, ""}; }

std::string fingerprint() { return fmt::format("atelier-{}-{}", kVersion, kernels::isa_name(kernels::current_isa())); }

}  // namespace atelier::serve
