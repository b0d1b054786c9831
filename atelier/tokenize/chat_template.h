// Chat templates: the Jinja that models ship, rendered as transformers' apply_chat_template does, with the origin of every byte.
//
// Provenance is what keeps a message from forging a turn: each byte of the output was written by the template or came from the
// caller's data, followed through filters, slices and concatenation. Only the template's own bytes may become special tokens.
// The roles system, user, assistant, tool, developer and function count as the template's own: some templates build "<|user|>" of them.
// A template that cannot be parsed or rendered is an error; there is no fallback.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/base/status.h"

namespace atelier::tokenize {

struct TemplateInput {
  Json messages;   // array of {"role", "content", …}
  Json tools;      // array of JSON schemas, or null
  Json documents;  // array, or null
  bool add_generation_prompt = true;
  std::string bos_token, eos_token;  // trusted text
  Json extra = Json::object();       // further variables ("enable_thinking": false); untrusted
  int64_t now_s = 0;                 // Unix time that strftime_now() formats (UTC)
};

struct RenderedChat {
  std::string text;
  std::vector<std::pair<size_t, size_t>> trusted;  // byte ranges written by the template itself; sorted, disjoint
  struct Origin {
    size_t begin, end;  // bytes of text
    std::string path;   // "messages[1].content", "tools[0].function.name", …
  };
  std::vector<Origin> origins;                        // of all other bytes; sorted, disjoint
  std::vector<std::pair<size_t, size_t>> generation;  // ranges inside {% generation %} … {% endgeneration %}
};

class ChatTemplate {
 public:
  // Parses `source`; `name` stands in error messages.
  static Result<ChatTemplate> parse(std::string source, const std::string& name);
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  // Limits: 16 MiB of output, 1,000,000 steps, recursion depth 100.
  Result<RenderedChat> render(const TemplateInput& input) const;

  const std::string& source() const;

 private:
  struct Impl;
  explicit ChatTemplate(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace atelier::tokenize
