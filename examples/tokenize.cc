// Text to token ids and back, with the bytes that each token covers.
//
//   tokenize MODEL [TEXT]      MODEL is a .gguf file or a Hugging Face folder
#include <cstdio>
#include <string>

#include "atelier/models/model.h"

namespace {

atelier::Status run(const std::string& path, const std::string& text) {
  ATELIER_TRY(auto model, atelier::models::load_model(path, {}));
  ATELIER_TRY(const atelier::tokenize::Tokenizer* tokenizer, model->tokenizer());
  ATELIER_TRY(auto encoding, tokenizer->encode(text));

  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    const auto [begin, end] = encoding.offsets[i];
    std::printf("%8d  bytes %3zu to %3zu  \"%s\"\n", encoding.ids[i], begin, end, text.substr(begin, end - begin).c_str());
  }
  ATELIER_TRY(auto decoded, tokenizer->decode(encoding.ids));
  std::printf("%zu tokens, back to text: %s\n", encoding.ids.size(), decoded.c_str());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: tokenize MODEL [TEXT]\n");
    return 2;
  }
  const atelier::Status status = run(argv[1], argc > 2 ? argv[2] : "The atelier opens at nine o'clock.");
  if (!status.ok()) std::fprintf(stderr, "tokenize: error: %s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
