// DeepSeek V3 and R1: the arguments stand in a fenced block of JSON behind "function" and the name.
#include "atelier/generate/tool_format.h"

namespace atelier::generate {
namespace {

bool matches(std::string_view chat_template) {
  return chat_template.find("<｜tool▁call▁begin｜>") != std::string_view::npos && chat_template.find("```json") != std::string_view::npos;
}

}  // namespace

extern const ToolFormat tool_format_deepseek_r1;
const ToolFormat tool_format_deepseek_r1 = {.name = "deepseek_r1",
                                            .families = "DeepSeek V3, R1 and its distillates",
                                            .matches = matches,
                                            .begin = "<｜tool▁calls▁begin｜>",
                                            .open = "<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
                                            .middle = "\n```json\n",
                                            .close = "\n```<｜tool▁call▁end｜>",
                                            .separator = "\n",
                                            .end = "<｜tool▁calls▁end｜>"};

}  // namespace atelier::generate
