#include "atelier/serve/tool_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "atelier/base/strings.h"
#include "atelier/serve/generation_options.h"

namespace atelier::serve {
namespace {

// What a format's signs cannot be taken for.
bool is_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.' || c == '/' ||
           c == ':';
  });
}

Result<std::vector<generate::Tool>> read_tools(const Json& given, bool& is_strict) {
  std::vector<generate::Tool> tools;
  for (size_t i = 0; i < given.as_array().size(); ++i) {
    const Json& function = *given.as_array()[i].find("function");
    generate::Tool tool;
    tool.name = text_or(function, "name", "");
    if (!is_name(tool.name))
      return Status::invalid(fmt::format("tools[{}].function.name: {}, must be letters, digits and _ - . / : only", i, quoted(tool.name)));
    if (std::any_of(tools.begin(), tools.end(), [&](const generate::Tool& other) { return other.name == tool.name; }))
      return Status::invalid(fmt::format("tools[{}].function.name: {}, there is another of that name; rename one", i, quoted(tool.name)));
    if (const Json* parameters = function.find("parameters");
        parameters != nullptr && parameters->is_object() && !parameters->as_object().empty())
      tool.parameters = *parameters;
    is_strict = is_strict || flag_or(function, "strict", false);
    tool.definition = Json::object().set("type", "function").set("function", function);
    tools.push_back(std::move(tool));
  }
  return tools;
}

}  // namespace

Result<ToolRequest> tool_request(const Json& body) {
  ToolRequest request;
  const Json* given = body.find("tools");
  const Json* choice = body.find("tool_choice");
  const bool is_named = choice != nullptr && choice->is_object();
  const std::string word = choice != nullptr && choice->is_string() ? choice->as_string() : "auto";
  const bool has_tools = given != nullptr && given->is_array() && !given->as_array().empty();
  if (!has_tools && (is_named || word == "required"))
    return Status::invalid("tool_choice: asks for a call, and there are no tools; give some");
  if (!has_tools || word == "none") return request;
  ATELIER_TRY(request.tools, read_tools(*given, request.is_strict));
  request.callable = request.tools;
  request.may_repeat = flag_or(body, "parallel_tool_calls", true);
  request.choice = is_named || word == "required" ? ToolChoice::kRequired : ToolChoice::kAuto;
  if (!is_named) return request;
  const Json* function = choice->find("function");
  const std::string name = text_or(function != nullptr ? *function : *choice, "name", "");
  std::erase_if(request.callable, [&](const generate::Tool& tool) { return tool.name != name; });
  if (request.callable.empty()) return Status::invalid(fmt::format("tool_choice: {}, not one of the tools; correct it", quoted(name)));
  request.may_repeat = false;
  return request;
}

}  // namespace atelier::serve
