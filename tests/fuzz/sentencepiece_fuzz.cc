// SentencePiece .model files, and text through what they yield.
#include "tests/fuzz/tokenizer_trial.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto tokenizer = atelier::tokenize::Tokenizer::from_sentencepiece(atelier::fuzz::as_text(data, size), "tokenizer.model");
  atelier::fuzz::check_refusal(tokenizer.status());
  if (tokenizer.ok()) atelier::fuzz::try_tokenizer(**tokenizer);
  return 0;
}
