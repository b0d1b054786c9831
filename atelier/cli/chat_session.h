// A model that answers the last message of a conversation. Turns share the KV cache as far as their prompts agree.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/generate/model_sequence.h"
#include "atelier/generate/session.h"
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
  // Unsupported when the model has no chat template. The model must outlive the session.
  static Result<std::unique_ptr<ChatSession>> create(models::Model& model);

  // Passed to the template as `enable_thinking`; not passed at all when unset.
  void set_thinking(std::optional<bool> is_on) { is_thinking_ = is_on; }

  // `on_piece` gets the answer as it comes; it may be empty.
  Result<ChatAnswer> answer(const Json& messages, const generate::GenerateOptions& options,
                            const std::function<void(const generate::ThoughtSplitter::Piece&)>& on_piece,
                            const std::function<bool()>& is_cancelled);

  const generate::TokenText& token_text() const { return token_text_; }
  int64_t context() const { return sequence_->context(); }

 private:
  ChatSession(models::Model& model, const tokenize::Tokenizer& tokenizer, tokenize::ChatTemplate chat_template,
              std::unique_ptr<generate::ModelSequence> sequence);
  tokenize::TemplateInput template_input(const Json& messages) const;

  models::Model& model_;
  const tokenize::Tokenizer& tokenizer_;
  tokenize::ChatTemplate template_;
  std::unique_ptr<generate::ModelSequence> sequence_;
  generate::Session session_;
  generate::TokenText token_text_;
  std::optional<bool> is_thinking_;
};

}  // namespace atelier::cli
