// Qwen3-Coder: <tool_call> around <function=f>, which has <parameter=KEY> around each argument.
#include "atelier/generate/tool_format.h"

namespace atelier::generate {
namespace {

bool matches(std::string_view chat_template) {
  return chat_template.find("<function=") != std::string_view::npos && chat_template.find("<parameter=") != std::string_view::npos;
}

}  // namespace

extern const ToolFormat tool_format_qwen3_coder;
const ToolFormat tool_format_qwen3_coder = {.name = "qwen3_coder",
                                            .families = "Qwen3-Coder",
                                            .matches = matches,
                                            .begin = "<tool_call>\n",
                                            .open = "<function=",
                                            .middle = ">\n",
                                            .close = "</function>",
                                            .separator = "\n</tool_call>\n<tool_call>\n",
                                            .end = "\n</tool_call>",
                                            .key_open = "<parameter=",
                                            .key_close = ">",
                                            .value_open = "\n",
                                            .value_close = "\n</parameter>\n"};

}  // namespace atelier::generate
