#include "atelier/serve/chat_input.h"

#include <fmt/format.h>

#include <ctime>

#include "atelier/serve/generation_options.h"

namespace atelier::serve {
namespace {

Result<Json> text_of(const Json& content, const std::string& path) {
  if (!content.is_array()) return content;
  std::string text;
  for (const Json& part : content.as_array()) {
    const std::string type = text_or(part, "type", "text");
    if (type != "text" && type != "input_text" && type != "output_text") {
      return Status::unsupported(fmt::format("{}: a part of type {}, this model reads text only; leave it out", path, type));
    }
    if (!text.empty()) text += "\n";
    text += text_or(part, "text", "");
  }
  return Json(std::move(text));
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
    if (const Json* content = message.find("content")) {
      ATELIER_TRY(Json text, text_of(*content, fmt::format("messages[{}].content", i)));
      message.set("content", text.is_null() ? Json("") : std::move(text));
    } else {
      message.set("content", "");
    }
    if (text_or(message, "role", "") == "developer" && !knows_developer) message.set("role", "system");
    rendered.messages.push_back(std::move(message));
  }
  rendered.tools = input.tools;
  rendered.extra = input.extra;
  if (tokenizer.bos()) rendered.bos_token = tokenizer.id_to_token(*tokenizer.bos());
  if (tokenizer.eos()) rendered.eos_token = tokenizer.id_to_token(*tokenizer.eos());
  rendered.now_s = std::time(nullptr);
  rendered.add_generation_prompt = input.add_generation_prompt;
  auto prompt = generate::chat_prompt(*model.chat_template(), tokenizer, rendered, input.continues_last);
  // A template may refuse a conversation (a system message that is not the first): the request's fault.
  if (!prompt.ok()) return Status::invalid("messages: " + prompt.status().message());
  return prompt;
}

ChatInput chat_input(const Json& body) {
  ChatInput input{*body.find("messages"), {}, template_variables(body)};
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
