// How a family of models writes the calls of functions that it wants made, as its chat template shows it.
//
//   begin  open NAME middle ARGUMENTS close  separator  open …  end         where `middle` states one
//   begin  open {"name": NAME, "arguments": ARGUMENTS} close  …             otherwise; with is_list [{…}, {…}] stands there once
//
// ARGUMENTS are a JSON object, or, where `key_open` is stated, stand one by one (generate/tool_arguments.h):
//
//   key_open KEY key_close value_open VALUE value_close  key_open …
//
// A format is one file of generate/tool_formats/ that exports one `const ToolFormat tool_format_<name>`; CMake writes the table. A model
// whose template shows none of them is asked for calls in words (`generic`).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/generate/grammar/grammar.h"

namespace atelier::generate {

struct ToolFormat {
  const char* name;
  const char* families;  // that write like this
  bool (*matches)(std::string_view chat_template);
  const char* begin = "";
  const char* open = "";
  const char* middle = "";
  const char* close = "";
  const char* separator = "";
  const char* end = "";
  const char* name_key = "name";
  const char* arguments_key = "arguments";
  const char* key_open = "";
  const char* key_close = "";
  const char* value_open = "";
  const char* value_close = "";
  bool is_list = false;
  bool may_be_bare = false;     // an answer that begins with a call's object is one, without `open`
  const char* expression = "";  // before NAME.call(key="value", …), the form of built-in functions
  bool has_channels = false;    // the whole answer is messages in channels (generate/channel_splitter.h); a message holds one call

  bool is_tagged() const { return *key_open != '\0'; }
};

// Every format, sorted by file name.
std::span<const ToolFormat* const> tool_formats();
extern const ToolFormat tool_format_generic;

// The format that a template shows, else the generic one.
const ToolFormat& tool_format_of(std::string_view chat_template);

struct ToolCall {
  std::string name;
  std::string arguments;  // a JSON object
};
// Calls as the model would write them.
std::string write_tool_calls(const ToolFormat& format, std::span<const ToolCall> calls);

struct Tool {
  std::string name;
  Json definition;  // {"type": "function", "function": {"name", "description", "parameters"}}
  Json parameters;  // a JSON schema; null: any object
};

// What tells a model whose template has no place for tools what there is and how to call it.
std::string describe_tools(const ToolFormat& format, std::span<const Tool> tools);

// Calls of these tools: one, or with `may_repeat` several in a row. With `is_open` what stands before the first call's name has been
// written. The schemas' own errors, with the name of the tool.
Result<std::vector<GrammarRule>> tool_call_rules(const ToolFormat& format, std::span<const Tool> tools, bool may_repeat, bool is_open);

// What a text holds when a call begins: `begin` or `open`, without white space around; empty where calls have no sign of their own.
std::string_view tool_call_sign(const ToolFormat& format);

}  // namespace atelier::generate
