// Mistral since version 11 of its tokenizer: [TOOL_CALLS]f[ARGS]{…}.
#include "atelier/generate/tool_format.h"

namespace atelier::generate {
namespace {

bool matches(std::string_view chat_template) {
  return chat_template.find("[TOOL_CALLS]") != std::string_view::npos && chat_template.find("[ARGS]") != std::string_view::npos;
}

}  // namespace

extern const ToolFormat tool_format_mistral_named;
const ToolFormat tool_format_mistral_named = {.name = "mistral_named",
                                              .families = "Mistral Small 3.2, Devstral, Magistral",
                                              .matches = matches,
                                              .open = "[TOOL_CALLS]",
                                              .middle = "[ARGS]"};

}  // namespace atelier::generate
