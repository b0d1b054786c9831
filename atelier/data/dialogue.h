// From a record to an Example whose loss lies on the answers.
//
//   chat         {"messages": [{"role", "content"}, ...]}              loss on what assistants said
//   instruction  {"instruction", "input"?, "output"}                   a user's message and its answer
//   pairs        {"prompt", "completion"}                              no template: loss on the completion and the end token
//
// Conversations are written by the model's own chat template. Which tokens an assistant said is known from the renderer's provenance (or
// from the template's {% generation %} marks), and the end-of-turn token behind an answer carries loss too: without it a model never learns
// to stop. Without a template an instruction is written in Alpaca's words and ends with the end token.
#pragma once

#include <memory>
#include <string>

#include "atelier/data/row.h"
#include "atelier/tokenize/chat_template.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::data {

enum class RecordFormat : uint8_t { kChat, kInstruction, kPairs };

struct DialogueEncoder {
  const tokenize::Tokenizer* tokenizer = nullptr;
  const tokenize::ChatTemplate* chat_template = nullptr;  // null: none
  std::string bos_token, eos_token;                       // for the template
  RecordFormat format = RecordFormat::kChat;

  // Errors: what is missing in the record, a template that does not render, a chat without a template.
  Result<Example> encode(const Json& record) const;
};

}  // namespace atelier::data
