#include "atelier/serve/answer_blocks.h"

namespace atelier::serve {

void AnswerBlocks::add(const Delta& delta) {
  if (!delta.reasoning.empty()) add_piece(AnswerBlock::Kind::kThought, delta.reasoning);
  if (!delta.content.empty()) add_piece(AnswerBlock::Kind::kText, delta.content);
  if (!delta.call) return;
  if (!delta.call->name.empty()) {
    finish();
    blocks_.push_back({AnswerBlock::Kind::kCall, "", delta.call->id, delta.call->name});
    is_open_ = true;
    on_begin(blocks_.size() - 1, blocks_.back());
  }
  if (!delta.call->arguments.empty()) add_piece(AnswerBlock::Kind::kCall, delta.call->arguments);
}

void AnswerBlocks::add_piece(AnswerBlock::Kind kind, const std::string& piece) {
  if (!is_open_ || blocks_.back().kind != kind) {
    finish();
    blocks_.push_back({kind, "", "", ""});
    is_open_ = true;
    on_begin(blocks_.size() - 1, blocks_.back());
  }
  blocks_.back().text += piece;
  on_piece(blocks_.size() - 1, blocks_.back(), piece);
}

void AnswerBlocks::finish() {
  if (!is_open_) return;
  is_open_ = false;
  on_end(blocks_.size() - 1, blocks_.back());
}

}  // namespace atelier::serve
