// gpt-oss: a message in the channel of commentary that is addressed to the function.
//
//   <|start|>assistant<|channel|>commentary to=functions.f <|constrain|>json<|message|>{…}<|call|>
//
// The prompt ends behind the first <|start|>assistant, and <|call|> ends the answer. https://cookbook.openai.com/articles/openai-harmony
#include "atelier/generate/tool_format.h"

namespace atelier::generate {
namespace {

bool matches(std::string_view chat_template) {
  return chat_template.find("<|channel|>") != std::string_view::npos && chat_template.find("<|call|>") != std::string_view::npos;
}

}  // namespace

extern const ToolFormat tool_format_harmony;
const ToolFormat tool_format_harmony = {.name = "harmony",
                                        .families = "gpt-oss",
                                        .matches = matches,
                                        .open = "<|channel|>commentary to=functions.",
                                        .middle = " <|constrain|>json<|message|>",
                                        .separator = "<|call|><|start|>assistant",
                                        .has_channels = true};

}  // namespace atelier::generate
