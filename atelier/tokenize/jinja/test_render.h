// For the tests of this folder: renders a template with variables given as JSON.
#pragma once

#include <string>

#include "atelier/tokenize/chat_template.h"

namespace atelier::tokenize::jinja {

inline Result<RenderedChat> render(const std::string& source, const std::string& variables = "{}") {
  ATELIER_TRY(ChatTemplate chat_template, ChatTemplate::parse(source, "t"));
  TemplateInput input;
  input.messages = Json::array();
  input.add_generation_prompt = false;
  ATELIER_TRY(input.extra, Json::parse(variables, "variables"));
  return chat_template.render(input);
}

// The text, or "error: …".
inline std::string text_of(const std::string& source, const std::string& variables = "{}") {
  auto chat = render(source, variables);
  return chat.ok() ? chat->text : "error: " + chat.status().message();
}

// The text with what is not the template's own in brackets, each run with its path: "<b>[x:hello]".
inline std::string marked(const std::string& source, const std::string& variables = "{}") {
  auto chat = render(source, variables);
  if (!chat.ok()) return "error: " + chat.status().message();
  std::string out;
  size_t at = 0;
  for (const auto& origin : chat->origins) {
    out += chat->text.substr(at, origin.begin - at) + "[" + origin.path + ":" + chat->text.substr(origin.begin, origin.end - origin.begin) +
           "]";
    at = origin.end;
  }
  return out + chat->text.substr(at);
}

}  // namespace atelier::tokenize::jinja
