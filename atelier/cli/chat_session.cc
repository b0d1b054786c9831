#include "atelier/cli/chat_session.h"

#include <fmt/format.h>

#include <ctime>

#include "atelier/base/strings.h"

namespace atelier::cli {

using generate::ThoughtSplitter;

Result<std::unique_ptr<ChatSession>> ChatSession::create(const models::Model& model, generate::Engine& engine) {
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model.tokenizer());
  if (model.chat_template().empty()) {
    return Status::unsupported(fmt::format("chat template: none in {}, a chat needs one; use atelier generate", model.path()));
  }
  ATELIER_TRY(tokenize::ChatTemplate chat_template, tokenize::ChatTemplate::parse(model.chat_template(), "chat template"));
  return std::unique_ptr<ChatSession>(new ChatSession(engine, *tokenizer, std::move(chat_template)));
}

Result<generate::ChatPrompt> ChatSession::prompt(const Json& messages) const {
  tokenize::TemplateInput input;
  input.messages = messages;
  if (tokenizer_.bos()) input.bos_token = tokenizer_.id_to_token(*tokenizer_.bos());
  if (tokenizer_.eos()) input.eos_token = tokenizer_.id_to_token(*tokenizer_.eos());
  if (is_thinking_) input.extra.set("enable_thinking", *is_thinking_);
  input.now_s = std::time(nullptr);
  return generate::chat_prompt(template_, tokenizer_, input);
}

Result<ChatAnswer> ChatSession::answer(const Json& messages, const generate::GenerateOptions& options,
                                       const std::function<void(const ThoughtSplitter::Piece&)>& on_piece,
                                       const std::function<bool()>& is_cancelled) {
  ATELIER_TRY(const generate::ChatPrompt rendered, prompt(messages));
  ChatAnswer answer;
  ThoughtSplitter splitter(generate::ends_inside_thought(rendered.text));
  const auto take = [&](const std::vector<ThoughtSplitter::Piece>& pieces) {
    for (const ThoughtSplitter::Piece& piece : pieces) {
      (piece.is_thought ? answer.thoughts : answer.content) += piece.text;
      if (on_piece) on_piece(piece);
    }
  };
  generate::GenerateHooks hooks;
  hooks.on_text = [&](std::string_view text) { take(splitter.push(text)); };
  hooks.is_cancelled = is_cancelled;
  if (options.num_top > 0) hooks.on_token = [&](const generate::TokenReport& report) { answer.tokens.push_back(report); };
  ATELIER_TRY(answer.generation, engine_.generate({rendered.ids, options, hooks}));
  take(splitter.finish());
  return answer;
}

}  // namespace atelier::cli
