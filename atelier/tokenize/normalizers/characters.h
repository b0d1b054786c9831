// Normalizers that look at one character at a time.
#pragma once

#include <string>

#include "atelier/base/function_ref.h"
#include "atelier/tokenize/normalizer.h"

namespace atelier::tokenize {

// Writes every character as what `rewrite(c, out)` appends; nothing appended removes it.
void rewrite_characters(AlignedText& text, FunctionRef<void(char32_t, std::u32string&)> rewrite);

struct BertNormalizerOptions {
  bool clean_text = true;            // no control characters, every white space a plain space
  bool handle_chinese_chars = true;  // spaces around CJK ideographs
  bool strip_accents = true;
  bool lowercase = true;
};
std::unique_ptr<Normalizer> bert_normalizer(const BertNormalizerOptions& options);
std::unique_ptr<Normalizer> lowercase_normalizer();
std::unique_ptr<Normalizer> strip_accents_normalizer();  // removes categories M*
std::unique_ptr<Normalizer> nmt_normalizer();            // SentencePiece's "nmt" rules for control and space characters

}  // namespace atelier::tokenize
