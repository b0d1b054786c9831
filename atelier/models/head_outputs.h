// What the logits of a task's head say: probabilities of labels, entities, the span of an answer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "atelier/models/encoder_input.h"
#include "atelier/nn/heads.h"

namespace atelier::models {

// From logits [N] of one text or token: a softmax, a sigmoid each, or the numbers themselves, as head.problem says.
std::vector<double> label_values(const nn::HeadSpec& head, std::span<const float> logits);

// "LABEL_3" where the head names none.
std::string label_name(const nn::HeadSpec& head, int64_t label);

// A part of a text with a label: an entity, or a word where labels are no B-X and I-X.
struct TaggedSpan {
  std::string label;  // without "B-" or "I-"
  size_t begin, end;  // bytes
  double score;       // the mean over its words
};

// From logits [T, N] of a text's tokens. A word has the label of its first token (CoNLL-2003's rule; Devlin et al. 2018, 5.3); words go
// together from B-X, or a first I-X, through the I-X behind it. "O" is left out.
std::vector<TaggedSpan> tagged_spans(const nn::HeadSpec& head, std::span<const float> logits, const EncoderInput& input);

// An answer within the second text of a pair.
struct AnswerSpan {
  size_t begin, end;  // bytes of the second text
  double score;       // the product of the probabilities of its first and last token
};

// The `count` best spans of at most `max_tokens` tokens from logits [T, 2] (Devlin et al. 2018, 4.2), best first.
std::vector<AnswerSpan> best_answers(std::span<const float> logits, const EncoderInput& input, int64_t max_tokens, size_t count);

}  // namespace atelier::models
