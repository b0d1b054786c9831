// What a model thinks comes next: the likeliest tokens after a prompt, from raw logits.
//
//   logits MODEL [PROMPT]      MODEL is a .gguf file or a Hugging Face folder
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "atelier/models/model.h"

namespace {

// Log of the sum of exponentials, the normaliser of a softmax.
double log_sum_exp(std::span<const float> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (float logit : logits) sum += std::exp(logit - largest);
  return largest + std::log(sum);
}

atelier::Status run(const std::string& path, const std::string& prompt) {
  atelier::models::LoadOptions options;
  options.context = 512;  // room for the prompt, in tokens
  ATELIER_TRY(auto model, atelier::models::load_model(path, options));
  ATELIER_TRY(const atelier::tokenize::Tokenizer* tokenizer, model->tokenizer());
  ATELIER_TRY(auto encoding, tokenizer->encode(prompt));
  ATELIER_TRY(auto cache, model->new_cache());
  ATELIER_TRY(std::span<const float> logits, model->forward(encoding.ids, cache, 1));  // [1, V]: after the last token

  std::vector<int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  constexpr int kShown = 5;
  std::partial_sort(order.begin(), order.begin() + kShown, order.end(), [&](int32_t a, int32_t b) { return logits[a] > logits[b]; });
  const double normaliser = log_sum_exp(logits);
  for (int i = 0; i < kShown; ++i) {
    const int32_t id = order[i];
    ATELIER_TRY(auto piece, tokenizer->decode(std::span(&id, 1), /*skip_special=*/false));
    std::printf("%5.1f %%  \"%s\"\n", 100 * std::exp(logits[id] - normaliser), piece.c_str());
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: logits MODEL [PROMPT]\n");
    return 2;
  }
  const atelier::Status status = run(argv[1], argc > 2 ? argv[2] : "The capital of France is");
  if (!status.ok()) std::fprintf(stderr, "logits: error: %s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
