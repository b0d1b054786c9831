// An answer as a sequence of blocks, thoughts, text and calls, which is how Anthropic's messages and OpenAI's responses tell it.
#pragma once

#include <string>
#include <vector>

#include "atelier/serve/answers.h"

namespace atelier::serve {

struct AnswerBlock {
  enum class Kind { kThought, kText, kCall } kind = Kind::kText;
  std::string text;      // of a call: its arguments
  std::string id, name;  // of a call
};

// Gathers the blocks of one answer and tells when one begins, grows and ends.
class AnswerBlocks {
 public:
  virtual ~AnswerBlocks() = default;

  void add(const Delta& delta);
  void finish();  // ends the last one
  const std::vector<AnswerBlock>& blocks() const { return blocks_; }

 protected:
  virtual void on_begin(size_t /*index*/, const AnswerBlock&) {}
  virtual void on_piece(size_t /*index*/, const AnswerBlock&, const std::string& /*piece*/) {}
  virtual void on_end(size_t /*index*/, const AnswerBlock&) {}

 private:
  void add_piece(AnswerBlock::Kind kind, const std::string& piece);

  std::vector<AnswerBlock> blocks_;
  bool is_open_ = false;
};

}  // namespace atelier::serve
