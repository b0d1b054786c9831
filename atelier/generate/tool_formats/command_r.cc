// Cohere: <|START_ACTION|>[{"tool_call_id": "0", "tool_name": "f", "parameters": {…}}]<|END_ACTION|>.
#include "atelier/generate/tool_format.h"

namespace atelier::generate {
namespace {

bool matches(std::string_view chat_template) { return chat_template.find("<|START_ACTION|>") != std::string_view::npos; }

}  // namespace

extern const ToolFormat tool_format_command_r;
const ToolFormat tool_format_command_r = {.name = "command_r",
                                          .families = "Command R7B, Command A",
                                          .matches = matches,
                                          .open = "<|START_ACTION|>",
                                          .close = "<|END_ACTION|>",
                                          .name_key = "tool_name",
                                          .arguments_key = "parameters",
                                          .is_list = true};

}  // namespace atelier::generate
