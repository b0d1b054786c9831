// GLM: <tool_call>f, then <arg_key>KEY</arg_key> and <arg_value>VALUE</arg_value> for each argument, </tool_call>.
#include "atelier/generate/tool_format.h"

namespace atelier::generate {
namespace {

bool matches(std::string_view chat_template) { return chat_template.find("<arg_key>") != std::string_view::npos; }

}  // namespace

extern const ToolFormat tool_format_glm;
const ToolFormat tool_format_glm = {.name = "glm",
                                    .families = "GLM 4.5, 4.6",
                                    .matches = matches,
                                    .open = "<tool_call>",
                                    .middle = "\n",
                                    .close = "</tool_call>",
                                    .separator = "\n",
                                    .key_open = "<arg_key>",
                                    .key_close = "</arg_key>",
                                    .value_open = "\n<arg_value>",
                                    .value_close = "</arg_value>\n"};

}  // namespace atelier::generate
