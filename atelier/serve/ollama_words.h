// Ollama's requests and answers in terms of OpenAI's, which they name differently and stream as lines of JSON.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "atelier/base/json.h"
#include "atelier/serve/answers.h"

namespace atelier::serve {

// The members that generation_options.h and chat_input.h read, of a body of /api/chat or /api/generate: `options` (num_predict,
// repeat_penalty, …), `format`, `think`.
Json openai_body(const Json& ollama);

// Holds a prompt and its answer to `options.num_ctx` tokens. InvalidArgument when that is more than the model was loaded with, OutOfRange
// when the prompt does not fit: nothing is cut off in silence.
Status limit_context(const Json& ollama, const ServedModel& model, size_t num_prompt, generate::GenerateOptions& options);

// `keep_alive`, in seconds: a number, or a duration such as "5m" or "1h30m"; below 0: for ever. Nothing where it is not stated.
Result<std::optional<double>> ollama_keep_alive(const Json& ollama);

// An empty prompt only loads the model, or unloads it with `keep_alive` 0: the answer to that. `wrap` is OllamaWriter's.
Json ollama_nothing_said(const Json& ollama, const ServedModel& model, void (*wrap)(Json&, const std::string&, const std::string&));

// "tiny:latest" is "tiny".
std::string ollama_model_name(const Json& body);

// {"name", "model", "size", "digest", "details"} of /api/tags and /api/ps; without details while the model is not loaded.
Json ollama_model(const EngineThread::Known& known);
Json ollama_details(const ServedModel& model);  // {"format", "family", "parameter_size", "quantization_level", …}
std::string rfc3339(int64_t unix_s);

// Lines of JSON, or one object where the request says `stream: false`. `wrap` puts a piece of text (and of thoughts) into the endpoint's
// words.
class OllamaWriter final : public AnswerListener {
 public:
  using Wrap = void (*)(Json& line, const std::string& content, const std::string& thinking);
  OllamaWriter(const Call& call, const ServedModel& model, Wrap wrap, int64_t num_cut = 0);

  void on_start() override;
  void on_delta(size_t choice, Delta delta) override;
  void on_choice_end(size_t choice, const generate::Generation& generation) override;
  void on_done(const Usage& usage) override;
  void on_failed(const ApiError& error) override;

 private:
  Json line() const;
  Json with_calls() const;  // a line that tells them; Ollama's are whole

  const std::shared_ptr<http::Reply> reply_;
  const ServedModel& model_;
  const Wrap wrap_;
  const bool is_stream_;
  const int64_t num_cut_;  // messages that were left out
  std::string content_, thinking_, finish_;
  std::vector<ToolCallDelta> calls_;
};

}  // namespace atelier::serve
