#include "atelier/serve/message_parts.h"

#include <fmt/format.h>

#include "atelier/serve/generation_options.h"

namespace atelier::serve {

Result<std::string> text_of_parts(const Json& content, const std::string& path) {
  if (content.is_string()) return content.as_string();
  std::string text;
  if (!content.is_array()) return text;
  for (size_t i = 0; i < content.as_array().size(); ++i) {
    const Json& part = content.as_array()[i];
    const std::string type = text_or(part, "type", "text");
    if (type != "text" && type != "input_text" && type != "output_text")
      return Status::unsupported(fmt::format("{}[{}]: a part of type {}, only text is read here; leave it out", path, i, type));
    text += (text.empty() ? "" : "\n") + text_or(part, "text", "");
  }
  return text;
}

Json function_tool(const Json& tool, const char* schema_key) {
  Json function = Json::object();
  const auto copy = [&](const char* from, const char* to) {
    if (const Json* value = tool.find(from); value != nullptr && !value->is_null()) function.set(to, *value);
  };
  copy("name", "name");
  copy("description", "description");
  copy(schema_key, "parameters");
  copy("strict", "strict");
  return Json::object().set("type", "function").set("function", std::move(function));
}

}  // namespace atelier::serve
