// Separates the messages of an answer in channels, gpt-oss' "harmony", into thoughts, text and calls, while it is being written.
//
//   <|start|>assistant<|channel|>CHANNEL to=RECIPIENT <|constrain|>json<|message|>CONTENT<|end|>
//
// The recipient may stand before the channel too, what is constrained may be left out, and the first message lacks what the prompt ends
// with. `analysis` is a thought, a message to `functions.NAME` a call of one of the tools, everything else text. An answer that begins with
// no message's head is text.
// https://cookbook.openai.com/articles/openai-harmony
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "atelier/generate/tool_call_reader.h"

namespace atelier::generate {

class ChannelSplitter {
 public:
  // The names of the tools that may be called.
  explicit ChannelSplitter(std::vector<std::string> names) : names_(std::move(names)) {}

  // Text, a thought, or a part of call number `call`: its name in the first part, then pieces of its arguments.
  struct Piece {
    std::string text;
    bool is_thought = false;
    std::optional<size_t> call = {};
    std::string name = {}, arguments = {};
  };
  std::vector<Piece> push(std::string_view text);
  std::vector<Piece> finish();

  // The special tokens of messages, which have to be part of the text that is pushed.
  static std::span<const std::string_view> signs();

 private:
  enum class At { kStart, kHead, kContent };  // between messages, in a head or what may become one, behind it
  enum class Content { kText, kThought, kCall };

  bool step(std::vector<Piece>& out);  // false: more text has to come
  void begin_content(std::string_view head, std::vector<Piece>& out);
  void say(std::string text, std::vector<Piece>& out);

  const std::vector<std::string> names_;
  At at_ = At::kStart;
  Content content_ = Content::kText;
  std::string pending_;  // not read yet
  ToolCallReader reader_;
  bool is_call_read_ = false;  // its arguments are whole, or none: what follows of the message is dropped
  size_t num_calls_ = 0;
};

}  // namespace atelier::generate
