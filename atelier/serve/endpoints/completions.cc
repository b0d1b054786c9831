// POST /v1/completions: a text goes on. Several prompts, texts or token ids; echo and log-probabilities in the older shape of parallel
// lists.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <numeric>

#include "atelier/generate/infilling.h"
#include "atelier/serve/answers.h"
#include "atelier/serve/generation_options.h"
#include "atelier/serve/openai_words.h"
#include "atelier/text/utf8.h"

namespace atelier::serve {
namespace {

constexpr size_t kMaxChoices = 256;  // of one request, all prompts together

struct Prompt {
  std::vector<int32_t> ids;
  std::string text;
};

// A prompt is a text or a list of ids; the body's member is one of them or a list of them. With `suffix` a text goes on up to it.
Result<std::vector<Prompt>> prompts_of(const Json& body, const ServedModel& model) {
  const Json& given = *body.find("prompt");
  const bool is_list = given.is_array() && !given.as_array().empty() && !given.as_array()[0].is_number();
  tokenize::EncodeOptions options;
  options.parse_special = flag_or(body, "parse_special", false);
  options.with_offsets = false;
  const std::string suffix = text_or(body, "suffix", "");
  std::vector<Prompt> prompts;
  for (const Json& one : is_list ? given.as_array() : Json::Array{given}) {
    Prompt prompt;
    if (one.is_string()) {
      prompt.text = one.as_string();
      ATELIER_TRY(prompt.ids, suffix.empty() ? model.tokenizer().encode_ids(prompt.text, options)
                                             : generate::infilling_prompt(model.tokenizer(), prompt.text, suffix));
    } else if (!suffix.empty()) {
      return Status::unsupported("suffix: goes with a prompt that is a text; send one");
    } else {
      for (const Json& id : one.as_array()) prompt.ids.push_back(static_cast<int32_t>(id.as_int()));
      ATELIER_TRY(prompt.text, model.tokenizer().decode(prompt.ids, false));
    }
    prompts.push_back(std::move(prompt));
  }
  return prompts;
}

// Puts what is said into OpenAI's words; of the owner thread once the answers run.
class Writer final : public AnswerListener {
 public:
  Writer(const Call& call, const ServedModel& model, std::vector<Prompt> prompts, size_t num_tries)
      : reply_(call.reply), model_(model), id_("cmpl-" + call.request.id), created_s_(std::time(nullptr)) {
    is_stream_ = flag_or(call.body, "stream", false);
    if (const Json* options = call.body.find("stream_options")) wants_usage_ = flag_or(*options, "include_usage", false);
    echoes_ = flag_or(call.body, "echo", false);
    num_top_ = static_cast<int>(integer_or(call.body, "logprobs", -1));
    num_kept_ = static_cast<size_t>(integer_or(call.body, "n", 1));
    num_tries_ = num_tries;
    for (Prompt& prompt : prompts) {
      for (size_t i = 0; i < num_tries; ++i) {
        Choice choice;
        choice.next_offset = static_cast<int64_t>(text::count_characters(prompt.text));
        if (echoes_) {
          choice.pending = prompt.text;
          choice.next_offset = 0;
          if (num_top_ >= 0) choice.reports.push_back({prompt.ids[0], kUnknown, {}});
        }
        choices_.push_back(std::move(choice));
      }
    }
  }

  void on_start() override {
    if (is_stream_) reply_->start(sse_head());
  }
  void on_prompt_token(size_t choice, const generate::TokenReport& report) override {
    if (echoes_ && num_top_ >= 0) choices_[choice].reports.push_back(report);
  }
  void on_delta(size_t choice, Delta delta) override {
    Choice& state = choices_[choice];
    state.pending += delta.content;
    for (const auto& report : delta.tokens) state.logprob_sum += report.logprob;
    state.num_tokens += delta.tokens.size();
    if (num_top_ >= 0) std::move(delta.tokens.begin(), delta.tokens.end(), std::back_inserter(state.reports));
    if (is_stream_) write_piece(choice, "");
  }
  void on_choice_end(size_t choice, const generate::Generation& generation) override {
    choices_[choice].finish = openai_finish_reason(generation.finish);
    if (is_stream_) write_piece(choice, choices_[choice].finish);
  }
  void on_done(const Usage& usage) override {
    if (!is_stream_) return send_whole(usage);
    if (wants_usage_) reply_->write(sse_data(head().set("choices", Json::array()).set("usage", usage_json(usage))));
    reply_->write(kSseDone);
    reply_->end();
  }
  void on_failed(const ApiError& error) override {
    if (!is_stream_) return reply_->send(error_response(error, Shape::kOpenAi));
    reply_->write(sse_data(error_json(error, Shape::kOpenAi)));
    reply_->end();
  }

 private:
  static constexpr double kUnknown = 1;  // no log-probability: of the first token of a prompt, before which nothing stands

  struct Choice {
    std::string pending;                         // text that was not written yet; all of it, of an answer that is sent as a whole
    std::vector<generate::TokenReport> reports;  // the same
    std::string finish;
    int64_t next_offset = 0;  // in characters of prompt and answer
    double logprob_sum = 0;   // of the answer
    size_t num_tokens = 0;
    double mean_logprob() const { return num_tokens == 0 ? 0 : logprob_sum / static_cast<double>(num_tokens); }
  };

  Json head() const {
    Json json = Json::object().set("id", id_).set("object", "text_completion").set("created", created_s_).set("model", model_.name());
    return json.set("system_fingerprint", fingerprint());
  }

  Json logprobs(Choice& choice) const {
    Json tokens = Json::array(), token_logprobs = Json::array(), top_logprobs = Json::array(), offsets = Json::array();
    for (const generate::TokenReport& report : std::exchange(choice.reports, {})) {
      const std::string text = model_.token_text()(report.id);
      tokens.push_back(text);
      offsets.push_back(choice.next_offset);
      choice.next_offset += static_cast<int64_t>(text::count_characters(text));
      token_logprobs.push_back(report.logprob == kUnknown ? Json() : Json(finite_logprob(report.logprob)));
      Json top = Json::object();
      for (const generate::TokenLogprob& token : report.top) {
        const std::string name = model_.token_text()(token.id);
        if (!top.contains(name)) top.set(name, finite_logprob(token.logprob));
      }
      top_logprobs.push_back(report.logprob == kUnknown ? Json() : std::move(top));
    }
    Json json = Json::object().set("tokens", std::move(tokens)).set("token_logprobs", std::move(token_logprobs));
    return json.set("top_logprobs", std::move(top_logprobs)).set("text_offset", std::move(offsets));
  }

  Json choice_json(size_t index, Choice& choice, const std::string& finish) const {
    Json json = Json::object().set("text", std::exchange(choice.pending, {})).set("index", static_cast<int64_t>(index));
    json.set("logprobs", num_top_ >= 0 ? logprobs(choice) : Json());
    return json.set("finish_reason", finish.empty() ? Json() : Json(finish));
  }
  void write_piece(size_t choice, const std::string& finish) {
    Json chunk = head().set("choices", Json::array().push_back(choice_json(choice, choices_[choice], finish)));
    if (wants_usage_) chunk.set("usage", Json());
    reply_->write(sse_data(chunk));
  }
  // Of each prompt's tries the likeliest per token, in the order in which they were drawn where all are kept.
  void send_whole(const Usage& usage) {
    Json choices = Json::array();
    for (size_t first = 0; first < choices_.size(); first += num_tries_) {
      std::vector<size_t> order(num_tries_);
      std::iota(order.begin(), order.end(), first);
      if (num_kept_ < num_tries_) {
        std::stable_sort(order.begin(), order.end(),
                         [&](size_t a, size_t b) { return choices_[a].mean_logprob() > choices_[b].mean_logprob(); });
      }
      for (size_t i = 0; i < num_kept_; ++i) {
        Choice& choice = choices_[order[i]];
        choices.push_back(choice_json(choices.as_array().size(), choice, choice.finish));
      }
    }
    const Json whole = head().set("choices", std::move(choices)).set("usage", usage_json(usage));
    reply_->send({200, {{"Content-Type", "application/json"}}, whole.dump()});
  }

  const std::shared_ptr<http::Reply> reply_;
  const ServedModel& model_;
  const std::string id_;
  const int64_t created_s_;
  bool is_stream_ = false, wants_usage_ = false, echoes_ = false;
  int num_top_ = -1;  // -1: no log-probabilities
  size_t num_kept_ = 1, num_tries_ = 1;
  std::vector<Choice> choices_;
};

std::optional<ApiError> handle(Call& call) {
  const Json& body = call.body;
  ServedModel* model = nullptr;
  if (auto error = call.find_generator(text_or(body, "model", ""), model)) return error;
  auto prompts = prompts_of(body, *model);
  if (!prompts.ok()) return api_error(prompts.status(), prompts.status().message().starts_with("suffix") ? "suffix" : "prompt");
  const int64_t n = integer_or(body, "n", 1), num_tries = integer_or(body, "best_of", n);
  if (num_tries < n) return ApiError{400, fmt::format("best_of: {}, must be at least n, which is {}", num_tries, n), "best_of"};
  if (num_tries > n && flag_or(body, "stream", false))
    return ApiError{400, "best_of: more than n cannot be streamed; leave stream out", "best_of"};
  const size_t num_choices = prompts->size() * static_cast<size_t>(num_tries);
  if (num_choices > kMaxChoices)
    return ApiError{400, fmt::format("prompt: {} answers asked for, at most {} fit in one request; send several", num_choices, kMaxChoices),
                    "prompt"};

  auto options = generation_options(body, *model);
  if (!options.ok()) return api_error(options.status());
  if (options->max_tokens < 0) options->max_tokens = 16;  // as OpenAI's
  const bool wants_logprobs = body.find("logprobs") != nullptr && !body.find("logprobs")->is_null();
  options->num_top = static_cast<int>(integer_or(body, "logprobs", 0));
  options->report_prompt = flag_or(body, "echo", false) && wants_logprobs;
  std::vector<AnswerSpec> specs;
  for (const Prompt& prompt : *prompts) {
    if (prompt.ids.empty()) return ApiError{400, "prompt: 0 tokens, at least 1 is needed; give some text", "prompt"};
    for (int64_t i = 0; i < num_tries; ++i) {
      AnswerSpec spec{prompt.ids, *options, wants_logprobs || num_tries > n};
      spec.options.sequence = static_cast<uint64_t>(i);
      if (const Status status = constrain(body, *model, spec.options); !status.ok()) return api_error(status, "response_format");
      specs.push_back(std::move(spec));
    }
  }
  auto writer = std::make_shared<Writer>(call, *model, std::move(*prompts), static_cast<size_t>(num_tries));
  return run_answers(call, *model, std::move(specs), std::move(writer));
}

}  // namespace

extern const EndpointDef endpoint_completions;
const EndpointDef endpoint_completions = {"POST", "/v1/completions", Shape::kOpenAi, false, handle};

}  // namespace atelier::serve
