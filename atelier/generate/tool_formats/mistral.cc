// Mistral: [TOOL_CALLS][{"name": "f", "arguments": {…}}].
#include "atelier/generate/tool_format.h"

namespace atelier::generate {
namespace {

bool matches(std::string_view chat_template) {
  return chat_template.find("[TOOL_CALLS]") != std::string_view::npos && chat_template.find("[ARGS]") == std::string_view::npos;
}

}  // namespace

extern const ToolFormat tool_format_mistral;
const ToolFormat tool_format_mistral = {.name = "mistral",
                                        .families = "Mistral 7B v0.3, Nemo, Large",
                                        .matches = matches,
                                        .open = "[TOOL_CALLS]",
                                        .is_list = true,
                                        .may_be_bare = true};

}  // namespace atelier::generate
