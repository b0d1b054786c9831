// Models whose template has no place for tools: they are told of them in words, and asked for the form of Hermes.
#include "atelier/generate/tool_format.h"

namespace atelier::generate {
namespace {

bool matches(std::string_view chat_template) { return chat_template.empty(); }

}  // namespace

extern const ToolFormat tool_format_generic;
const ToolFormat tool_format_generic = {.name = "generic",
                                        .families = "Gemma, SmolLM2, TinyLlama and all others",
                                        .matches = matches,
                                        .open = "<tool_call>\n",
                                        .close = "\n</tool_call>",
                                        .separator = "\n",
                                        .may_be_bare = true};

}  // namespace atelier::generate
