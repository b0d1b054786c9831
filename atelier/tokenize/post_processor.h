// Post-processors add what a model expects around the text (BOS, [CLS] … [SEP]) and tidy offsets; the names and fields are those
// of tokenizer.json.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "atelier/base/function_ref.h"
#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/tokenize/tokenizer.h"

namespace atelier::tokenize {

// What a post-processor may ask of the tokenizer.
struct PostContext {
  std::string_view text;  // the user's text
  // What stands for the i-th token of the encoding: its entry in the vocabulary; for an added token, the text that it was cut out of.
  FunctionRef<std::string(size_t)> spelling;
  bool add_special_tokens;
  bool with_offsets;  // otherwise the encoding has none
};

class PostProcessor {
 public:
  virtual ~PostProcessor() = default;
  virtual void apply(Encoding& encoding, const PostContext& context) const = 0;
  virtual TextFrame frame() const { return {}; }  // what it puts around texts
};

// Ids before and after the text, when special tokens are wanted.
std::unique_ptr<PostProcessor> surround_post_processor(TextFrame frame);
// BERT's: [CLS] A [SEP], and [CLS] A [SEP] B [SEP] with B in a segment of its own.
std::unique_ptr<PostProcessor> bert_post_processor(TokenId cls, TokenId sep);

// Takes the white space at both ends of a token's piece out of its offsets; with `add_prefix_space`, one space that the
// pre-tokenizer put in front of the text is left alone.
std::unique_ptr<PostProcessor> trim_offsets_post_processor(bool add_prefix_space);

std::unique_ptr<PostProcessor> post_processor_sequence(std::vector<std::unique_ptr<PostProcessor>> steps);

// The `post_processor` object of a tokenizer.json.
Result<std::unique_ptr<PostProcessor>> create_post_processor(const Json& json, const std::string& name, int depth = 0);

}  // namespace atelier::tokenize
