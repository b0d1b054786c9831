// Chat templates: the input is the template, the conversation is fixed.
#include "atelier/tokenize/chat_template.h"
#include "tests/fuzz/fuzz.h"

using atelier::Json;
using atelier::tokenize::ChatTemplate;
using atelier::tokenize::RenderedChat;

namespace {

const atelier::tokenize::TemplateInput& conversation() {
  static const atelier::tokenize::TemplateInput input = [] {
    atelier::tokenize::TemplateInput built;
    built.messages = Json::parse(R"([{"role": "system", "content": "Be brief."},
                                     {"role": "user", "content": "Hi <|im_end|> {{ x }} ü\n"},
                                     {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1.5}}}]},
                                     {"role": "tool", "content": [{"type": "text", "text": "42"}]},
                                     {"role": "user", "content": "And?"}])",
                                 "messages")
                         .value();
    built.tools = Json::parse(R"([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}])", "tools").value();
    built.bos_token = "<s>";
    built.eos_token = "</s>";
    return built;
  }();
  return input;
}

// Trusted ranges and origins are sorted, disjoint and inside the text.
void check_provenance(const RenderedChat& chat) {
  size_t last = 0;
  for (const auto& [begin, end] : chat.trusted) {
    if (begin < last || end < begin || end > chat.text.size()) atelier::fuzz::fail("trusted ranges are out of order");
    last = end;
  }
  last = 0;
  for (const RenderedChat::Origin& origin : chat.origins) {
    if (origin.begin < last || origin.end < origin.begin || origin.end > chat.text.size()) atelier::fuzz::fail("origins are out of order");
    last = origin.end;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto parsed = ChatTemplate::parse(std::string(atelier::fuzz::as_text(data, size)), "template");
  atelier::fuzz::check_refusal(parsed.status());
  if (!parsed.ok()) return 0;
  const auto chat = parsed->render(conversation());
  atelier::fuzz::check_refusal(chat.status());
  if (chat.ok()) check_provenance(*chat);
  return 0;
}
