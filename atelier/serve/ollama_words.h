// Ollama's requests and answers in terms of OpenAI's, which they name differently and stream as lines of JSON.
#pragma once

#include <memory>
#include <string>

#include "atelier/base/json.h"
#include "atelier/serve/answers.h"

namespace atelier::serve {

// The members that generation_options.h and chat_input.h read, of a body of /api/chat or /api/generate: `options` (num_predict,
// repeat_penalty, …), `format`, `think`.
Json openai_body(const Json& ollama);

// InvalidArgument when `options.num_ctx` asks for more context than the model was loaded with: nothing is cut off in silence.
Status check_context(const Json& ollama, const ServedModel& model);

// "tiny:latest" is "tiny".
std::string ollama_model_name(const Json& body);

Json ollama_details(const ServedModel& model);  // {"format", "family", "parameter_size", "quantization_level", …}
std::string rfc3339(int64_t unix_s);

// Lines of JSON, or one object where the request says `stream: false`. `wrap` puts a piece of text (and of thoughts) into the endpoint's
// words.
class OllamaWriter final : public AnswerListener {
 public:
  using Wrap = void (*)(Json& line, const std::string& content, const std::string& thinking);
  OllamaWriter(const Call& call, const ServedModel& model, Wrap wrap);

  void on_start() override;
  void on_delta(size_t choice, Delta delta) override;
  void on_choice_end(size_t choice, const generate::Generation& generation) override;
  void on_done(const Usage& usage) override;
  void on_failed(const ApiError& error) override;

 private:
  Json line() const;

  const std::shared_ptr<http::Reply> reply_;
  const ServedModel& model_;
  const Wrap wrap_;
  const bool is_stream_;
  std::string content_, thinking_, finish_;
};

}  // namespace atelier::serve
