// IBM: <|tool_call|>[{"name": "f", "arguments": {…}}].
#include "atelier/generate/tool_format.h"

namespace atelier::generate {
namespace {

bool matches(std::string_view chat_template) { return chat_template.find("<|tool_call|>") != std::string_view::npos; }

}  // namespace

extern const ToolFormat tool_format_granite;
const ToolFormat tool_format_granite = {
    .name = "granite", .families = "Granite 3", .matches = matches, .open = "<|tool_call|>", .is_list = true, .may_be_bare = true};

}  // namespace atelier::generate
