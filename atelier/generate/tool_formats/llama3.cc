// Meta: the answer is the object itself, perhaps behind <|python_tag|>; built-in functions are written as f.call(key="value").
#include "atelier/generate/tool_format.h"

namespace atelier::generate {
namespace {

bool matches(std::string_view chat_template) {
  return chat_template.find("<|start_header_id|>") != std::string_view::npos && chat_template.find("parameters") != std::string_view::npos;
}

}  // namespace

extern const ToolFormat tool_format_llama3;
const ToolFormat tool_format_llama3 = {.name = "llama3",
                                       .families = "Llama 3.1, 3.2, 3.3",
                                       .matches = matches,
                                       .separator = "; ",
                                       .arguments_key = "parameters",
                                       .may_be_bare = true,
                                       .expression = "<|python_tag|>"};

}  // namespace atelier::generate
