#include "atelier/generate/tool_format.h"

#include "atelier/base/strings.h"
#include "atelier/generate/grammar/json_schema.h"
#include "atelier/generate/tool_arguments.h"

namespace atelier::generate {
namespace {

using E = Expression;

// What stands around a call's name and its arguments.
struct Frame {
  std::string before, after;
};
Frame frame_of(const ToolFormat& format, const std::string& name) {
  if (*format.middle != '\0') return {name + format.middle, ""};
  return {std::string("{\"") + format.name_key + "\": " + Json(name).dump() + ", \"" + format.arguments_key + "\": ", "}"};
}

}  // namespace

const ToolFormat& tool_format_of(std::string_view chat_template) {
  for (const ToolFormat* format : tool_formats()) {
    if (format->matches(chat_template)) return *format;
  }
  return tool_format_generic;
}

std::string_view tool_call_sign(const ToolFormat& format) {
  const std::string_view begin = trim_ascii(format.begin);
  return begin.empty() ? trim_ascii(format.open) : begin;
}

std::string write_tool_calls(const ToolFormat& format, std::span<const ToolCall> calls) {
  std::string text = std::string(format.begin) + (format.is_list ? std::string(format.open) + "[" : "");
  for (size_t i = 0; i < calls.size(); ++i) {
    const Frame frame = frame_of(format, calls[i].name);
    if (i > 0) text += format.is_list ? ", " : format.separator;
    if (!format.is_list) text += format.open;
    text += frame.before + (format.is_tagged() ? write_tagged_arguments(format, calls[i].arguments) : calls[i].arguments) + frame.after;
    if (!format.is_list) text += format.close;
  }
  return text + (format.is_list ? std::string("]") + format.close : "") + format.end;
}

std::string describe_tools(const ToolFormat& format, std::span<const Tool> tools) {
  std::string text = "You may call functions. These are available, as JSON:\n<tools>\n";
  for (const Tool& tool : tools) text += tool.definition.dump() + "\n";
  text += "</tools>\nTo call one, answer with its name and its arguments as a JSON object in exactly this form:\n";
  const ToolCall example[] = {{"FUNCTION_NAME", format.is_tagged() ? R"({"ARGUMENT": "VALUE"})" : R"({"ARGUMENT": VALUE})"}};
  return text + write_tool_calls(format, example) + "\nCall a function only where it helps; otherwise answer in words.";
}

Result<std::vector<GrammarRule>> tool_call_rules(const ToolFormat& format, std::span<const Tool> tools, bool may_repeat, bool is_open) {
  std::vector<GrammarRule> rules = {{"root", {}}, {"call", {}}};
  std::vector<E> choices;
  for (const Tool& tool : tools) {
    auto schema = format.is_tagged()          ? tagged_argument_rules(format, tool.parameters)
                  : tool.parameters.is_null() ? Result<std::vector<GrammarRule>>(json_object_rules())
                                              : json_schema_rules(tool.parameters);
    if (!schema.ok()) return schema.status().with_context("tool " + quoted(tool.name));
    const Frame frame = frame_of(format, tool.name);
    choices.push_back(
        E::sequence({E::literal(frame.before), E::reference(append_rules(std::move(*schema), rules)), E::literal(frame.after)}));
  }
  rules[1].expression = E::choice(std::move(choices));
  const E call = E::reference(1);
  const uint32_t max_more = may_repeat ? kUnbounded : 0;
  std::vector<E> root;
  // The sign has been written; white space and what else belongs before the name has not.
  const std::string before = std::string(format.begin) + format.open + (format.is_list ? "[" : "");
  const size_t written = is_open ? before.find(tool_call_sign(format)) + tool_call_sign(format).size() : 0;
  root.push_back(E::literal(before.substr(written)));
  root.push_back(call);
  if (format.is_list) {
    root.push_back(E::repeat(E::sequence({E::literal(", "), call}), 0, max_more));
    root.push_back(E::literal(std::string("]") + format.close));
  } else {
    root.push_back(E::literal(format.close));
    root.push_back(
        E::repeat(E::sequence({E::literal(std::string(format.separator) + format.open), call, E::literal(format.close)}), 0, max_more));
  }
  root.push_back(E::literal(format.end));
  rules[0].expression = E::sequence(std::move(root));
  return rules;
}

}  // namespace atelier::generate
