// What OpenAI's answers have in common.
#pragma once

#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/generate/token_text.h"
#include "atelier/serve/answers.h"

namespace atelier::serve {

// {"prompt_tokens", "completion_tokens", "total_tokens", …}
Json usage_json(const Usage& usage);

// [{"token", "logprob", "bytes", "top_logprobs": […]}], as in `logprobs.content` of a chat completion.
Json logprobs_json(const std::vector<generate::TokenReport>& tokens, const generate::TokenText& text);

double finite_logprob(double logprob);  // JSON has no infinity: -9999 stands for it

// "stop" or "length".
const char* openai_finish_reason(generate::FinishReason reason);

// One event of a stream: "data: {…}\n\n".
std::string sse_data(const Json& json);
// The same under its own name, the object's `type`: "event: TYPE\ndata: {…}\n\n".
std::string sse_event(const Json& json);
inline constexpr const char* kSseDone = "data: [DONE]\n\n";

// The head of a stream of server-sent events.
http::Response sse_head();

std::string fingerprint();  // of what computes: version and instruction set

}  // namespace atelier::serve
