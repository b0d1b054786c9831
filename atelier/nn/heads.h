// Heads for tasks: what a linear layer behind the last hidden states says about a text or each of its tokens.
//
//   text   logits [B, N] = W f(first row of each sequence)     token   logits [T, N] = W hidden
//
// f is the pooler where the spec has one (BERT), activation(dense(x)) where the head has a dense layer of its own (RoBERTa, DistilBERT),
// else the identity.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "atelier/kernels/kernels.h"

namespace atelier::nn {

enum class HeadKind : uint8_t { kNone, kNextSentence, kSequence, kChoice, kToken, kSpan };

// How the logits of a text are read, and what its loss is.
enum class ProblemKind : uint8_t {
  kOneLabel,    // softmax; cross-entropy
  kManyLabels,  // a sigmoid each; binary cross-entropy
  kRegression,  // the numbers themselves; squared error
};

struct HeadSpec {
  HeadKind kind = HeadKind::kNone;
  ProblemKind problem = ProblemKind::kOneLabel;
  int64_t num_labels = 0;           // N; kSpan: 2, start and end; kChoice: 1, a softmax over the alternatives
  std::vector<std::string> labels;  // their names, or none
  bool has_dense = false;
  kernels::Activation activation = kernels::Activation::kTanh;  // behind the dense layer
};

// What a kind of head is called and where it comes from.
struct HeadDef {
  HeadKind kind;
  const char* name;  // "sequence": its parameters are "heads.sequence.weight", …
  const char* summary;
  const char* source;
  bool is_of_text;  // reads the first row of a sequence; else every row
};

// Every kind but kNone.
std::span<const HeadDef> heads();
const HeadDef& head_def(HeadKind kind);  // not of kNone

}  // namespace atelier::nn
