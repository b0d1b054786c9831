#include "atelier/serve/anthropic_words.h"

#include <fmt/format.h>

#include "atelier/serve/generation_options.h"
#include "atelier/serve/message_parts.h"

namespace atelier::serve {
namespace {

Json call_of(const Json& block) {
  const Json* input = block.find("input");
  Json function = Json::object().set("name", text_or(block, "name", "")).set("arguments", input != nullptr ? input->dump() : "{}");
  return Json::object().set("id", text_or(block, "id", "")).set("type", "function").set("function", std::move(function));
}

// Results of calls come first, as messages of their own; what else the message says is one.
Status append_message(const Json& message, const std::string& path, Json& out) {
  const std::string role = text_or(message, "role", "user");
  const Json& content = *message.find("content");
  if (content.is_string()) {
    out.push_back(Json::object().set("role", role).set("content", content));
    return {};
  }
  std::string text, thoughts;
  Json calls = Json::array();
  bool has_results = false;
  for (size_t i = 0; i < content.as_array().size(); ++i) {
    const Json& block = content.as_array()[i];
    const std::string type = text_or(block, "type", ""), here = fmt::format("{}.content[{}]", path, i);
    if (type == "text") {
      text += (text.empty() ? "" : "\n") + text_or(block, "text", "");
    } else if (type == "thinking") {
      thoughts += text_or(block, "thinking", "");
    } else if (type == "tool_use") {
      calls.push_back(call_of(block));
    } else if (type == "tool_result") {
      const Json* result = block.find("content");
      ATELIER_TRY(std::string said, text_of_parts(result != nullptr ? *result : Json(), here + ".content"));
      if (flag_or(block, "is_error", false)) said = "Error: " + said;
      out.push_back(Json::object().set("role", "tool").set("tool_call_id", text_or(block, "tool_use_id", "")).set("content", said));
      has_results = true;
    } else if (type != "redacted_thinking") {
      return Status::unsupported(
          fmt::format("{}: a block of type {}, this server reads text, tool_use, tool_result and thinking; leave it out", here, type));
    }
  }
  if (text.empty() && calls.as_array().empty() && has_results) return {};
  Json made = Json::object().set("role", role).set("content", text);
  if (!thoughts.empty()) made.set("reasoning_content", thoughts);
  if (!calls.as_array().empty()) made.set("tool_calls", std::move(calls));
  out.push_back(std::move(made));
  return {};
}

void copy_tools(const Json& anthropic, Json& body) {
  if (const Json* tools = anthropic.find("tools"); tools != nullptr && tools->is_array()) {
    Json made = Json::array();
    for (const Json& tool : tools->as_array()) made.push_back(function_tool(tool, "input_schema"));
    body.set("tools", std::move(made));
  }
  const Json* choice = anthropic.find("tool_choice");
  if (choice == nullptr || !choice->is_object()) return;
  const std::string type = text_or(*choice, "type", "auto");
  if (type == "any") body.set("tool_choice", "required");
  if (type == "none") body.set("tool_choice", "none");
  if (type == "tool")
    body.set("tool_choice",
             Json::object().set("type", "function").set("function", Json::object().set("name", text_or(*choice, "name", ""))));
  if (flag_or(*choice, "disable_parallel_tool_use", false)) body.set("parallel_tool_calls", false);
}

}  // namespace

Result<Json> openai_body_of_messages(const Json& anthropic) {
  Json messages = Json::array();
  if (const Json* system = anthropic.find("system"); system != nullptr && !system->is_null()) {
    ATELIER_TRY(std::string text, text_of_parts(*system, "system"));
    if (!text.empty()) messages.push_back(Json::object().set("role", "system").set("content", text));
  }
  const auto& given = anthropic.find("messages")->as_array();
  for (size_t i = 0; i < given.size(); ++i) {
    ATELIER_RETURN_IF_ERROR(append_message(given[i], fmt::format("messages[{}]", i), messages));
  }
  Json body = Json::object().set("messages", std::move(messages));
  // An answer that goes on with the last message, as Anthropic's does where that is the assistant's.
  if (text_or(given.back(), "role", "") == "assistant") body.set("continue_final_message", true);
  for (const char* same : {"max_tokens", "temperature", "top_p", "top_k", "min_p", "seed", "chat_template_kwargs", "lora", "truncate"}) {
    if (const Json* value = anthropic.find(same)) body.set(same, *value);
  }
  if (const Json* stop = anthropic.find("stop_sequences")) body.set("stop", *stop);
  copy_tools(anthropic, body);
  if (!body.contains("chat_template_kwargs")) {
    // Thoughts are not asked for unless they are.
    const Json* thinking = anthropic.find("thinking");
    const bool wants = thinking != nullptr && thinking->is_object() && text_or(*thinking, "type", "disabled") != "disabled";
    body.set("chat_template_kwargs", Json::object().set("enable_thinking", wants));
  }
  return body;
}

}  // namespace atelier::serve
