// A model that answers the last message of a conversation. Turns share keys and values as far as their prompts agree: the engine
// remembers them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/generate/chat_prompt.h"
#include "atelier/generate/engine.h"
#include "atelier/generate/thoughts.h"
#include "atelier/generate/token_text.h"
#include "atelier/models/model.h"
#include "atelier/tokenize/chat_template.h"

namespace atelier::cli {

struct ChatAnswer {
  std::string content;
  std::string thoughts;
  generate::Generation generation;
  std::vector<generate::TokenReport> tokens;  // when alternatives were asked for
};

class ChatSession {
 public:
  // Unsupported when the model has no chat template. The model and its engine must outlive the session.
  static Result<std::unique_ptr<ChatSession>> create(const models::Model& model, generate::Engine& engine);

  // Passed to the template as `enable_thinking`; not passed at all when unset.
  void set_thinking(std::optional<bool> is_on) { is_thinking_ = is_on; }

  // The conversation in the words of the model's template.
  Result<generate::ChatPrompt> prompt(const Json& messages) const;

  // `on_piece` gets the answer as it comes; it may be empty.
  Result<ChatAnswer> answer(const Json& messages, const generate::GenerateOptions& options,
                            const std::function<void(const generate::ThoughtSplitter::Piece&)>& on_piece,
                            const std::function<bool()>& is_cancelled);

  const generate::TokenText& token_text() const { return token_text_; }
  int64_t context() const { return engine_.context(); }

 private:
  ChatSession(generate::Engine& engine, const tokenize::Tokenizer& tokenizer, tokenize::ChatTemplate chat_template)
      : engine_(engine), tokenizer_(tokenizer), template_(std::move(chat_template)), token_text_(tokenizer) {}

  generate::Engine& engine_;
  const tokenize::Tokenizer& tokenizer_;
  tokenize::ChatTemplate template_;
  generate::TokenText token_text_;
  std::optional<bool> is_thinking_;
};

}  // namespace atelier::cli
