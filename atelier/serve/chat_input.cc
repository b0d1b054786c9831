#include "atelier/serve/chat_input.h"

#include <fmt/format.h>

#include <ctime>

#include "atelier/serve/generation_options.h"
#include "atelier/serve/message_parts.h"

namespace atelier::serve {
namespace {

bool is_result(const Json& message) {
  const std::string role = text_or(message, "role", "");
  return role == "tool" || role == "function";
}

// The calls of an assistant's message; arguments are a text of JSON in OpenAI's shape and an object in the templates'.
std::vector<generate::ToolCall> calls_of(const Json& message) {
  std::vector<generate::ToolCall> calls;
  const Json* given = message.find("tool_calls");
  if (given == nullptr || !given->is_array()) return calls;
  for (const Json& call : given->as_array()) {
    const Json* function = call.find("function");
    if (function == nullptr) continue;
    const Json* arguments = function->find("arguments");
    const bool is_text = arguments != nullptr && arguments->is_string();
    calls.push_back({text_or(*function, "name", ""), is_text ? arguments->as_string() : arguments != nullptr ? arguments->dump() : "{}"});
  }
  return calls;
}

// Arguments as objects, which is what templates write out.
void parse_arguments(Json& message) {
  Json calls = Json::array();
  for (const Json& given : message.find("tool_calls")->as_array()) {
    Json call = given;
    if (const Json* function = given.find("function")) {
      if (const Json* arguments = function->find("arguments"); arguments != nullptr && arguments->is_string()) {
        if (auto parsed = Json::parse(arguments->as_string(), "arguments"); parsed.ok() && parsed->is_object())
          call.set("function", Json(*function).set("arguments", std::move(*parsed)));
      }
    }
    if (!call.contains("type")) call.set("type", "function");
    calls.push_back(std::move(call));
  }
  message.set("tool_calls", std::move(calls));
}

// Calls and their results as texts of the assistant and the user.
Json in_words(const Json& messages, const generate::ToolFormat& format) {
  Json out = Json::array();
  bool is_behind_result = false;
  for (const Json& given : messages.as_array()) {
    Json message = given;
    const std::string content = text_or(message, "content", "");
    if (const auto calls = calls_of(message); !calls.empty()) {
      message.set("content", content + (content.empty() ? "" : "\n") + generate::write_tool_calls(format, calls));
      std::erase_if(message.as_object(), [](const Json::Member& member) { return member.first == "tool_calls"; });
    }
    const bool is_result_now = is_result(message);
    if (is_result_now) {
      const std::string text = "<tool_response>\n" + content + "\n</tool_response>";
      if (is_behind_result) {  // templates want the user's turn but once
        Json& last = out.as_array().back();
        last.set("content", text_or(last, "content", "") + "\n" + text);
        continue;
      }
      message = Json::object().set("role", "user").set("content", text);
    }
    is_behind_result = is_result_now;
    out.push_back(std::move(message));
  }
  return out;
}

// `text` in front of the first message of this role; where there is none, as one of its own at the beginning.
Json with_words(const Json& messages, const std::string& role, const std::string& text) {
  Json out = messages;
  for (Json& message : out.as_array()) {
    if (text_or(message, "role", "") != role) continue;
    const std::string content = text_or(message, "content", "");
    message.set("content", role == "system" ? content + (content.empty() ? "" : "\n\n") + text : text + "\n\n" + content);
    return out;
  }
  out.as_array().insert(out.as_array().begin(), Json::object().set("role", role).set("content", text));
  return out;
}

}  // namespace

Result<generate::ChatPrompt> chat_prompt_of(const ChatInput& input, const ServedModel& model) {
  if (model.chat_template() == nullptr) {
    return Status::unsupported(fmt::format("messages: {} has no chat template; use /v1/completions", model.name()));
  }
  const bool knows_developer = model.chat_template()->source().find("developer") != std::string::npos;
  const tokenize::Tokenizer& tokenizer = model.tokenizer();
  tokenize::TemplateInput rendered;
  rendered.messages = Json::array();
  for (size_t i = 0; i < input.messages.as_array().size(); ++i) {
    Json message = input.messages.as_array()[i];
    const Json* content = message.find("content");
    ATELIER_TRY(std::string text, text_of_parts(content != nullptr ? *content : Json(), fmt::format("messages[{}].content", i)));
    message.set("content", std::move(text));
    // gpt-oss' template calls a thought so, and wants none beside a text.
    if (const std::string thought = text_or(message, "reasoning_content", ""); model.tool_format().has_channels && !thought.empty()) {
      if (text_or(message, "content", "").empty()) message.set("thinking", thought);
    }
    if (text_or(message, "role", "") == "developer" && !knows_developer) message.set("role", "system");
    rendered.messages.push_back(std::move(message));
  }
  // A template of the generic format may know tools in a way that is not known here.
  const generate::ToolFormat& format = model.tool_format();
  const bool is_known = &format != &generate::tool_format_generic;
  const auto mentions = [&](std::string_view word) { return is_known && model.chat_template()->source().find(word) != std::string::npos; };
  if (mentions("tool_calls")) {
    for (Json& message : rendered.messages.as_array()) {
      if (!calls_of(message).empty()) parse_arguments(message);
    }
  } else {
    rendered.messages = in_words(rendered.messages, format);
  }
  const bool describes = !input.tools.empty() && !mentions("tools");
  if (!input.tools.empty() && !describes) {
    rendered.tools = Json::array();
    for (const generate::Tool& tool : input.tools) rendered.tools.push_back(tool.definition);
  }
  rendered.extra = input.extra;
  if (tokenizer.bos()) rendered.bos_token = tokenizer.id_to_token(*tokenizer.bos());
  if (tokenizer.eos()) rendered.eos_token = tokenizer.id_to_token(*tokenizer.eos());
  rendered.now_s = std::time(nullptr);
  rendered.add_generation_prompt = input.add_generation_prompt;
  const Json messages = rendered.messages;
  const std::string description = describes ? generate::describe_tools(format, input.tools) : "";
  if (describes) rendered.messages = with_words(messages, "system", description);
  auto prompt = generate::chat_prompt(*model.chat_template(), tokenizer, rendered, input.continues_last);
  if (!prompt.ok() && describes) {  // a template may want no system message
    rendered.messages = with_words(messages, "user", description);
    prompt = generate::chat_prompt(*model.chat_template(), tokenizer, rendered, input.continues_last);
  }
  // A template may refuse a conversation (a system message that is not the first): the request's fault.
  if (!prompt.ok()) return Status::invalid("messages: " + prompt.status().message());
  return prompt;
}

ChatInput chat_input(const Json& body) {
  ChatInput input;
  input.messages = *body.find("messages");
  input.extra = template_variables(body);
  input.continues_last = flag_or(body, "continue_final_message", false);
  input.add_generation_prompt = flag_or(body, "add_generation_prompt", !input.continues_last);
  return input;
}

Json template_variables(const Json& body) {
  Json variables = Json::object();
  if (const Json* given = body.find("chat_template_kwargs"); given != nullptr && given->is_object()) variables = *given;
  if (const std::string effort = text_or(body, "reasoning_effort", ""); !effort.empty()) {
    variables.set("reasoning_effort", effort);
    if (!variables.contains("enable_thinking")) variables.set("enable_thinking", effort != "none");
  }
  return variables;
}

}  // namespace atelier::serve
