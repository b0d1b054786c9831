#include "atelier/serve/responses_words.h"

#include <fmt/format.h>

#include "atelier/serve/generation_options.h"
#include "atelier/serve/message_parts.h"

namespace atelier::serve {
namespace {

bool is_given(const Json& body, const char* key) {
  const Json* value = body.find(key);
  return value != nullptr && !value->is_null();
}

// The text of an item of reasoning: its content, else its summary.
std::string thoughts_of(const Json& item) {
  std::string text;
  for (const char* key : {"content", "summary"}) {
    const Json* parts = item.find(key);
    if (!text.empty() || parts == nullptr || !parts->is_array()) continue;
    for (const Json& part : parts->as_array()) text += text_or(part, "text", "");
  }
  return text;
}

// Consecutive items of one turn make one message: thoughts, text and calls of the assistant.
class Turns {
 public:
  Status add(const Json& item, const std::string& path) {
    const std::string type = text_or(item, "type", "message");
    if (type == "message") {
      const std::string role = text_or(item, "role", "user");
      const Json* content = item.find("content");
      if (role != "assistant")
        return messages_.push_back(Json::object().set("role", role).set("content", content != nullptr ? *content : Json(""))), Status{};
      Json& turn = assistant(false);
      turn.set("content", content != nullptr ? *content : Json(""));
    } else if (type == "function_call") {
      Json& turn = assistant(true);
      Json calls = turn.contains("tool_calls") ? *turn.find("tool_calls") : Json::array();
      Json function = Json::object().set("name", text_or(item, "name", "")).set("arguments", text_or(item, "arguments", "{}"));
      calls.push_back(Json::object().set("id", text_or(item, "call_id", "")).set("type", "function").set("function", std::move(function)));
      turn.set("tool_calls", std::move(calls));
    } else if (type == "function_call_output") {
      const Json* output = item.find("output");
      Json message = Json::object().set("role", "tool").set("tool_call_id", text_or(item, "call_id", ""));
      messages_.push_back(message.set("content", output != nullptr ? *output : Json("")));
    } else if (type == "reasoning") {
      assistant(false).set("reasoning_content", thoughts_of(item));
    } else {
      return Status::unsupported(
          fmt::format("{}: an item of type {}, this server reads message, function_call, function_call_output and reasoning; leave it out",
                      path, type));
    }
    return {};
  }
  Json take() { return std::move(messages_); }

 private:
  // The assistant's message that is being put together; a call may follow its text, a text begins another unless thoughts stand alone.
  Json& assistant(bool is_call) {
    Json::Array& messages = messages_.as_array();
    const bool goes_on = !messages.empty() && text_or(messages.back(), "role", "") == "assistant" &&
                         (is_call || (!messages.back().contains("content") && !messages.back().contains("tool_calls")));
    if (!goes_on) messages_.push_back(Json::object().set("role", "assistant"));
    return messages_.as_array().back();
  }
  Json messages_ = Json::array();
};

void copy_tools(const Json& body, Json& out) {
  if (const Json* tools = body.find("tools"); tools != nullptr && tools->is_array() && !tools->as_array().empty()) {
    Json made = Json::array();
    for (const Json& tool : tools->as_array()) made.push_back(function_tool(tool, "parameters"));
    out.set("tools", std::move(made));
  }
  for (const char* same : {"tool_choice", "parallel_tool_calls"}) {
    if (is_given(body, same)) out.set(same, *body.find(same));
  }
}

}  // namespace

Result<Json> openai_body_of_responses(const Json& body) {
  for (const char* key : {"previous_response_id", "conversation", "prompt"}) {
    if (is_given(body, key))
      return Status::unsupported(fmt::format("{}: given, and this server keeps no state; send the whole conversation as input", key));
  }
  if (flag_or(body, "background", false)) return Status::unsupported("background: true, and this server keeps no state; leave it out");
  Turns turns;
  const Json& input = *body.find("input");
  if (input.is_string()) {
    ATELIER_RETURN_IF_ERROR(turns.add(Json::object().set("role", "user").set("content", input), "input"));
  } else {
    for (size_t i = 0; i < input.as_array().size(); ++i)
      ATELIER_RETURN_IF_ERROR(turns.add(input.as_array()[i], fmt::format("input[{}]", i)));
  }
  Json messages = Json::array();
  if (const std::string instructions = text_or(body, "instructions", ""); !instructions.empty())
    messages.push_back(Json::object().set("role", "system").set("content", instructions));
  const Json conversation = turns.take();
  for (const Json& message : conversation.as_array()) messages.push_back(message);

  Json out = Json::object().set("messages", std::move(messages));
  for (const char* same : {"temperature", "top_p", "top_k", "min_p", "seed", "chat_template_kwargs", "lora"}) {
    if (is_given(body, same)) out.set(same, *body.find(same));
  }
  if (is_given(body, "max_output_tokens")) out.set("max_tokens", *body.find("max_output_tokens"));
  if (text_or(body, "truncation", "disabled") == "auto") out.set("truncate", true);
  if (is_given(body, "reasoning") && is_given(*body.find("reasoning"), "effort"))
    out.set("reasoning_effort", *body.find("reasoning")->find("effort"));
  if (is_given(body, "text") && is_given(*body.find("text"), "format")) out.set("response_format", *body.find("text")->find("format"));
  copy_tools(body, out);
  return out;
}

}  // namespace atelier::serve
