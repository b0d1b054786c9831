// An answer from a chat model, printed as it is generated.
//
//   generate MODEL [QUESTION]      MODEL is a .gguf file or a Hugging Face folder with a chat template
#include <cstdio>
#include <string>
#include <string_view>

#include "atelier/generate/chat_prompt.h"
#include "atelier/generate/engine.h"
#include "atelier/models/model.h"

namespace {

using atelier::Json;
using atelier::generate::GenerateHooks;
using atelier::generate::GenerateOptions;
using atelier::tokenize::ChatTemplate;
using atelier::tokenize::TemplateInput;

atelier::Status run(const std::string& path, const std::string& question) {
  atelier::models::LoadOptions load_options;
  load_options.context = 1024;  // room for question and answer, in tokens
  ATELIER_TRY(auto model, atelier::models::load_model(path, load_options));
  ATELIER_TRY(const atelier::tokenize::Tokenizer* tokenizer, model->tokenizer());

  // The conversation, in the words of the model's own template.
  ATELIER_TRY(auto chat_template, ChatTemplate::parse(model->chat_template(), path));
  TemplateInput input;
  input.messages = Json::Array{Json::object().set("role", "user").set("content", question)};
  input.add_generation_prompt = true;
  ATELIER_TRY(auto prompt, atelier::generate::chat_prompt(chat_template, *tokenizer, input));

  ATELIER_TRY(auto engine, atelier::generate::Engine::create(*model, {.max_sequences = 1}));
  GenerateOptions options;
  options.sampling.temperature = 0;  // always the likeliest token
  options.max_tokens = 32;
  options.stop_ids = model->defaults().stop_ids;
  GenerateHooks hooks;
  hooks.on_text = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  };
  ATELIER_TRY(auto generation, engine->generate({prompt.ids, options, hooks}));
  std::printf("\n(%zu tokens, ended by: %s)\n", generation.ids.size(), atelier::generate::finish_reason_name(generation.finish));
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: generate MODEL [QUESTION]\n");
    return 2;
  }
  const atelier::Status status = run(argv[1], argc > 2 ? argv[2] : "What is photosynthesis?");
  if (!status.ok()) std::fprintf(stderr, "generate: error: %s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
