// Nous Hermes and Qwen: <tool_call> around an object of name and arguments, for each call.
#include "atelier/generate/tool_format.h"

namespace atelier::generate {
namespace {

bool matches(std::string_view chat_template) {
  return chat_template.find("<tool_call>") != std::string_view::npos && chat_template.find("<function=") == std::string_view::npos &&
         chat_template.find("<arg_key>") == std::string_view::npos;
}

}  // namespace

extern const ToolFormat tool_format_hermes;
const ToolFormat tool_format_hermes = {.name = "hermes",
                                       .families = "Hermes 2 and 3, Qwen 2.5 and 3, QwQ",
                                       .matches = matches,
                                       .open = "<tool_call>\n",
                                       .close = "\n</tool_call>",
                                       .separator = "\n",
                                       .may_be_bare = true};

}  // namespace atelier::generate
