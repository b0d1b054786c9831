// DeepSeek V3.1: <｜tool▁call▁begin｜>f<｜tool▁sep｜>{…}<｜tool▁call▁end｜>, all calls between two more signs.
#include "atelier/generate/tool_format.h"

namespace atelier::generate {
namespace {

bool matches(std::string_view chat_template) {
  return chat_template.find("<｜tool▁call▁begin｜>") != std::string_view::npos && chat_template.find("```json") == std::string_view::npos;
}

}  // namespace

extern const ToolFormat tool_format_deepseek;
const ToolFormat tool_format_deepseek = {.name = "deepseek",
                                         .families = "DeepSeek V3.1",
                                         .matches = matches,
                                         .begin = "<｜tool▁calls▁begin｜>",
                                         .open = "<｜tool▁call▁begin｜>",
                                         .middle = "<｜tool▁sep｜>",
                                         .close = "<｜tool▁call▁end｜>",
                                         .end = "<｜tool▁calls▁end｜>"};

}  // namespace atelier::generate
