#include "atelier/cli/chat_session.h"

#include <fmt/format.h>

#include <ctime>

#include "atelier/base/strings.h"
#include "atelier/generate/chat_prompt.h"

namespace atelier::cli {

using generate::ThoughtSplitter;

Result<std::unique_ptr<ChatSession>> ChatSession::create(models::Model& model) {
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model.tokenizer());
  if (model.chat_template().empty()) {
    return Status::unsupported(fmt::format("chat template: none in {}, a chat needs one; use atelier generate", model.path()));
  }
  ATELIER_TRY(tokenize::ChatTemplate chat_template, tokenize::ChatTemplate::parse(model.chat_template(), "chat template"));
  ATELIER_TRY(auto sequence, generate::ModelSequence::create(model));
  return std::unique_ptr<ChatSession>(new ChatSession(model, *tokenizer, std::move(chat_template), std::move(sequence)));
}

ChatSession::ChatSession(models::Model& model, const tokenize::Tokenizer& tokenizer, tokenize::ChatTemplate chat_template,
                         std::unique_ptr<generate::ModelSequence> sequence)
    : model_(model),
      tokenizer_(tokenizer),
      template_(std::move(chat_template)),
      sequence_(std::move(sequence)),
      session_(*sequence_, &tokenizer),
      token_text_(tokenizer) {}

tokenize::TemplateInput ChatSession::template_input(const Json& messages) const {
  tokenize::TemplateInput input;
  input.messages = messages;
  if (tokenizer_.bos()) input.bos_token = tokenizer_.id_to_token(*tokenizer_.bos());
  if (tokenizer_.eos()) input.eos_token = tokenizer_.id_to_token(*tokenizer_.eos());
  if (is_thinking_) input.extra.set("enable_thinking", *is_thinking_);
  input.now_s = std::time(nullptr);
  return input;
}

Result<ChatAnswer> ChatSession::answer(const Json& messages, const generate::GenerateOptions& options,
                                       const std::function<void(const ThoughtSplitter::Piece&)>& on_piece,
                                       const std::function<bool()>& is_cancelled) {
  ATELIER_TRY(const generate::ChatPrompt prompt, generate::chat_prompt(template_, tokenizer_, template_input(messages)));
  ChatAnswer answer;
  ThoughtSplitter splitter(generate::ends_inside_thought(prompt.text));
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
  ATELIER_TRY(answer.generation, session_.generate(prompt.ids, options, hooks));
  take(splitter.finish());
  return answer;
}

}  // namespace atelier::cli
