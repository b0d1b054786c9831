#include "atelier/tokenize/chat_template.h"

#include "atelier/base/strings.h"
#include "atelier/text/utf8.h"
#include "atelier/tokenize/jinja/input.h"
#include "atelier/tokenize/jinja/interpreter.h"
#include "atelier/tokenize/jinja/parser.h"

namespace atelier::tokenize {

struct ChatTemplate::Impl {
  std::string source;
  std::string name;
  jinja::Body body;
};

namespace {

constexpr size_t kMaxSource = size_t{1} << 20;

// What a template or a message had a hand in, fit for one line of a terminal: control characters as spaces, cut after 500 bytes.
std::string one_line(std::string text) {
  constexpr size_t kLongest = 500;
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  if (text.size() <= kLongest) return text;
  size_t end = kLongest;
  while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

Status status_of(const std::string& name, const jinja::TemplateError& error) {
  std::string place = error.line > 0 ? ": line " + std::to_string(error.line) : "";
  return Status(error.code, name + place + ": " + one_line(error.what()));
}

std::map<std::string, jinja::Value, std::less<>> variables_of(jinja::Runtime& runtime, const TemplateInput& input) {
  std::map<std::string, jinja::Value, std::less<>> variables;
  if (input.extra.is_object()) {
    for (const auto& [key, value] : input.extra.as_object()) variables[key] = jinja::value_from_json(runtime, value, key);
  }
  // As transformers' special_tokens_map: a token that the tokenizer does not have is no variable.
  if (!input.bos_token.empty()) variables["bos_token"] = runtime.text(text::repair_utf8(input.bos_token));
  if (!input.eos_token.empty()) variables["eos_token"] = runtime.text(text::repair_utf8(input.eos_token));
  variables["messages"] = jinja::messages_from_json(runtime, input.messages);
  variables["tools"] = jinja::value_from_json(runtime, input.tools, "tools");
  variables["documents"] = jinja::value_from_json(runtime, input.documents, "documents");
  variables["add_generation_prompt"] = jinja::Value::boolean(input.add_generation_prompt);
  return variables;
}

// The runs of the output as the three lists of RenderedChat; neighbours of one kind become one range.
RenderedChat chat_of(const jinja::Runtime& runtime, const jinja::Text& text) {
  RenderedChat chat;
  chat.text = text.bytes();
  size_t begin = 0;
  jinja::Origin last_origin = jinja::kTemplate;
  uint32_t last_generation = 0;
  for (const jinja::Run& run : text.runs()) {
    bool continues = begin > 0 && run.origin == last_origin;
    if (run.origin == jinja::kTemplate) {
      if (!continues) chat.trusted.emplace_back(begin, begin);
      chat.trusted.back().second = run.end;
    } else {
      if (!continues) chat.origins.push_back({begin, begin, runtime.origins.path(run.origin)});
      chat.origins.back().end = run.end;
    }
    if (run.generation != 0) {
      if (begin == 0 || run.generation != last_generation) chat.generation.emplace_back(begin, begin);
      chat.generation.back().second = run.end;
    }
    begin = run.end;
    last_origin = run.origin;
    last_generation = run.generation;
  }
  return chat;
}

}  // namespace

ChatTemplate::ChatTemplate(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

const std::string& ChatTemplate::source() const { return impl_->source; }

Result<ChatTemplate> ChatTemplate::parse(std::string source, const std::string& name) {
  if (source.size() > kMaxSource) {
    return Status::out_of_range(name + ": " + human_bytes(source.size()) + " of source, at most 1 MiB is read");
  }
  if (!text::is_valid_utf8(source)) return Status::corrupt(name + ": the source is not UTF-8");
  try {
    jinja::Body body = jinja::parse(source);
    return ChatTemplate(std::make_unique<Impl>(Impl{std::move(source), name, std::move(body)}));
  } catch (const jinja::TemplateError& error) {
    return status_of(name, error);
  }
}

Result<RenderedChat> ChatTemplate::render(const TemplateInput& input) const {
  jinja::Runtime runtime(input.now_s);
  try {
    jinja::Interpreter interpreter(runtime, variables_of(runtime, input));
    return chat_of(runtime, interpreter.render(impl_->body));
  } catch (const jinja::TemplateError& error) {
    return status_of(impl_->name, error);
  }
}

}  // namespace atelier::tokenize
