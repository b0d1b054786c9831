// What a model is to learn: an objective turns a piece of running text into inputs and labels, or names the task whose records teach a
// head.
//
// One file of data/objectives/ is one ObjectiveDef; CMake writes the table. Whatever is drawn is a function of the seed and the sample's
// number, so that a run resumes to the same bits and a piece of text that comes again is another sample.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/data/row.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::data {

// What objectives know of a vocabulary.
struct ObjectiveTokens {
  tokenize::TextFrame frame;    // around a piece; empty for objectives that take text as it runs
  int32_t mask = -1;            // what stands for a hidden token
  std::vector<bool> continues;  // [V] the token goes on with the word before it: "##ing"
  int64_t vocab_size = 0;       // V
};

// What a head learns from records of a task, instead of running text.
enum class TaskKind : uint8_t { kNone, kText, kTokens, kSpan, kChoice };

struct ObjectiveDef {
  const char* name;  // "masked_lm"
  const char* summary;
  const char* source;
  bool is_masked;  // wants an encoder, a mask token and special tokens around each piece
  // Inputs and labels of `tokens`, which become one document; labels[t] is what position t is to predict. Null: the next token.
  Example (*make)(const ObjectiveTokens& vocabulary, std::span<const int32_t> tokens, uint64_t seed, uint64_t sample);
  TaskKind task = TaskKind::kNone;
};

// Every objective, by file name.
std::span<const ObjectiveDef* const> objectives();
const ObjectiveDef* find_objective(const std::string& name);  // null when there is none

// InvalidArgument where the tokenizer has no mask token for an objective that needs one.
Result<ObjectiveTokens> objective_tokens(const ObjectiveDef& objective, const tokenize::Tokenizer& tokenizer);

// The rows of `text`, each made anew by the objective. `text` gives pieces that leave room for the frame.
std::unique_ptr<RowSource> objective_rows(const ObjectiveDef& objective, ObjectiveTokens vocabulary, std::unique_ptr<RowSource> text,
                                          uint64_t seed);
// One row made anew.
Row objective_row(const ObjectiveDef& objective, const ObjectiveTokens& vocabulary, const Row& text, uint64_t seed);

}  // namespace atelier::data
