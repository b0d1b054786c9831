// The answers to one request, while they are written: engine hooks on one side, an API's words on the other.
//
// One request may ask for several answers (n choices, a list of prompts). Each is a request to the engine; what they say is told to one
// listener, on the owner thread, by the number of the choice.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "atelier/generate/request.h"
#include "atelier/generate/thoughts.h"
#include "atelier/generate/tool_format.h"
#include "atelier/serve/endpoint.h"

namespace atelier::serve {

// A part of a call of a function: its id and name come once, first, then pieces of its arguments.
struct ToolCallDelta {
  size_t index = 0;  // of the choice's calls
  std::string id, name, arguments;
};

// What became certain of a choice: one of thoughts, text and a call. `tokens` are those behind it, where reports were asked for.
struct Delta {
  std::string content, reasoning;
  std::optional<ToolCallDelta> call = {};
  std::vector<generate::TokenReport> tokens = {};
};

struct Usage {
  int64_t num_prompt = 0, num_cached = 0, num_completion = 0;
  double queued_s = 0, prefill_s = 0, decode_s = 0;  // of the answer that took longest
};

class AnswerListener {
 public:
  virtual ~AnswerListener() = default;
  virtual void on_start() {}  // the engine has taken the request; the first call
  virtual void on_prompt_token(size_t /*choice*/, const generate::TokenReport&) {}
  virtual void on_delta(size_t choice, Delta delta) = 0;
  virtual void on_choice_end(size_t choice, const generate::Generation& generation) = 0;
  virtual void on_done(const Usage& usage) = 0;       // all choices have ended; the last call
  virtual void on_failed(const ApiError& error) = 0;  // or this is
};

struct AnswerSpec {
  std::vector<int32_t> prompt;
  generate::GenerateOptions options;
  bool wants_reports = false;  // of each token, with options.num_top alternatives
  bool splits_thoughts = false, starts_inside_thought = false;
  generate::ThoughtTags thought_tags = {};
  const generate::ToolFormat* tool_format = nullptr;  // null: calls are text like any other
  std::vector<generate::Tool> tools = {};             // that may be called
};

// Checks and submits; from then on the listener is told, and a client that goes away ends the work. An error: nothing was submitted.
std::optional<ApiError> run_answers(const Call& call, ServedModel& model, std::vector<AnswerSpec> specs,
                                    std::shared_ptr<AnswerListener> listener);

}  // namespace atelier::serve
