// Many prompts at once through one engine, with a scoped prefix cache; one of them is cancelled half-way.
//
//   engine MODEL      MODEL is a .gguf file or a Hugging Face folder with a tokenizer
#include "atelier/generate/engine.h"

#include <cstdio>
#include <string>

#include "atelier/models/model.h"

namespace {

using atelier::generate::Engine;
using atelier::generate::Generation;
using atelier::generate::Request;

atelier::Status run(const std::string& path) {
  ATELIER_TRY(auto model, atelier::models::load_model(path, {.context = 512}));
  ATELIER_TRY(const atelier::tokenize::Tokenizer* tokenizer, model->tokenizer());

  // Three sequences share a forward pass; the fourth waits. Answers that repeat their prompt are guessed ahead.
  ATELIER_TRY(auto engine, Engine::create(*model, {.max_sequences = 3, .speculation = atelier::generate::Speculation::kLookup}));

  const std::string prompts[] = {"The capital of France is", "Water boils at", "One, two, three, four, one, two,", "Once upon a time"};
  Engine::RequestId story = 0;
  for (const std::string& prompt : prompts) {
    ATELIER_TRY(auto encoding, tokenizer->encode(prompt));
    Request request;
    request.prompt = encoding.ids;
    request.options.sampling.temperature = 0;  // always the likeliest token
    request.options.max_tokens = 24;
    request.options.stop_ids = model->defaults().stop_ids;
    request.cache_scope = "example";  // only requests of this scope share what has been computed
    request.hooks.on_finish = [prompt](const atelier::Result<Generation>& generation) {
      if (!generation.ok()) {
        std::printf("%s ... failed: %s\n", prompt.c_str(), generation.status().message().c_str());
        return;
      }
      std::printf("%s%s\n  (%zu tokens, ended by: %s)\n", prompt.c_str(), generation->text.c_str(), generation->ids.size(),
                  atelier::generate::finish_reason_name(generation->finish));
    };
    ATELIER_TRY(story, engine->submit(request));
  }

  for (int steps = 0; engine->has_work(); ++steps) {
    ATELIER_RETURN_IF_ERROR(engine->step());
    if (steps == 32) engine->cancel(story);  // no harm if it has ended
  }
  const auto metrics = engine->metrics();
  std::printf("%lld tokens in %lld steps, %lld of %lld guesses right\n", static_cast<long long>(metrics.decode_tokens),
              static_cast<long long>(metrics.steps), static_cast<long long>(metrics.accepted_tokens),
              static_cast<long long>(metrics.drafted_tokens));
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: engine MODEL\n");
    return 2;
  }
  const atelier::Status status = run(argv[1]);
  if (!status.ok()) std::fprintf(stderr, "engine: error: %s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
