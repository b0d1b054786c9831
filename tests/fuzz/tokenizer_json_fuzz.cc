// tokenizer.json: the whole pipeline, and text through what it yields.
#include "tests/fuzz/tokenizer_trial.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto tokenizer = atelier::tokenize::Tokenizer::from_tokenizer_json(atelier::fuzz::as_text(data, size), "tokenizer.json");
  atelier::fuzz::check_refusal(tokenizer.status());
  if (tokenizer.ok()) atelier::fuzz::try_tokenizer(**tokenizer);
  return 0;
}
