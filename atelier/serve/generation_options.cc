#include "atelier/serve/generation_options.h"

#include <fmt/format.h>

#include <random>

#include "atelier/base/strings.h"
#include "atelier/generate/default_sampling.h"
#include "atelier/generate/grammar/gbnf.h"
#include "atelier/generate/grammar/json_schema.h"
#include "atelier/generate/grammar/regex_rules.h"
#include "atelier/generate/sampler_chain.h"

namespace atelier::serve {
namespace {

const Json* stated(const Json& body, std::string_view key) {
  const Json* member = body.find(key);
  return member == nullptr || member->is_null() ? nullptr : member;
}

Status read_sampling(const Json& body, const ServedModel& model, generate::SamplingOptions& sampling) {
  sampling = generate::default_sampling(model.model().defaults());
  sampling.temperature = number_or(body, "temperature", sampling.temperature);
  sampling.top_p = number_or(body, "top_p", sampling.top_p);
  sampling.top_k = integer_or(body, "top_k", sampling.top_k);
  sampling.min_p = number_or(body, "min_p", sampling.min_p);
  sampling.typical_p = number_or(body, "typical_p", sampling.typical_p);
  sampling.repetition_penalty = number_or(body, "repetition_penalty", sampling.repetition_penalty);
  sampling.presence_penalty = number_or(body, "presence_penalty", 0);
  sampling.frequency_penalty = number_or(body, "frequency_penalty", 0);
  sampling.seed = stated(body, "seed") != nullptr ? static_cast<uint64_t>(integer_or(body, "seed", 0)) : std::random_device{}();
  if (const Json* biases = stated(body, "logit_bias")) {
    for (const auto& [text, bias] : biases->as_object()) {
      const auto id = parse_int(text);
      if (!id || *id < 0 || *id > INT32_MAX)
        return Status::invalid(fmt::format("logit_bias: {}, must be token ids; see /tokenize", quoted(text)));
      sampling.logit_bias.emplace_back(static_cast<int32_t>(*id), static_cast<float>(bias.as_double()));
    }
  }
  return generate::check_sampling_options(sampling);
}

using Rules = Result<std::vector<generate::GrammarRule>>;

}  // namespace

double number_or(const Json& body, std::string_view key, double fallback) {
  const Json* member = stated(body, key);
  return member != nullptr ? member->as_double() : fallback;
}
int64_t integer_or(const Json& body, std::string_view key, int64_t fallback) {
  const Json* member = stated(body, key);
  if (member == nullptr) return fallback;
  return member->is_int() ? member->as_int() : static_cast<int64_t>(member->as_double());
}
bool flag_or(const Json& body, std::string_view key, bool fallback) {
  const Json* member = stated(body, key);
  return member != nullptr ? member->as_bool() : fallback;
}
std::string text_or(const Json& body, std::string_view key, const std::string& fallback) {
  const Json* member = stated(body, key);
  return member != nullptr ? member->as_string() : fallback;
}

Result<generate::GenerateOptions> generation_options(const Json& body, const ServedModel& model) {
  generate::GenerateOptions options;
  ATELIER_RETURN_IF_ERROR(read_sampling(body, model, options.sampling));
  options.max_tokens = integer_or(body, "max_completion_tokens", integer_or(body, "max_tokens", -1));
  if (!flag_or(body, "ignore_eos", false)) options.stop_ids = model.model().defaults().stop_ids;
  if (const Json* stop = stated(body, "stop")) {
    for (const Json& text : stop->is_array() ? stop->as_array() : Json::Array{*stop}) options.stop_strings.push_back(text.as_string());
  }
  return options;
}

Status constrain(const Json& body, const ServedModel& model, generate::GenerateOptions& options) {
  const Json* format = stated(body, "response_format");
  const std::string type = format != nullptr ? text_or(*format, "type", "text") : "text";
  std::vector<std::pair<std::string, std::function<Rules()>>> given;
  if (type == "json_object") given.emplace_back("object", [] { return Rules(generate::json_object_rules()); });
  if (type == "json_schema") {
    // OpenAI's {"json_schema": {"name", "schema"}}; a schema without that wrapping is taken as well.
    const Json* wrapped = stated(*format, "json_schema");
    const Json* schema = wrapped != nullptr ? stated(*wrapped, "schema") : stated(*format, "schema");
    if (schema == nullptr) return Status::invalid("response_format.json_schema.schema: is missing, it is needed");
    given.emplace_back("schema " + schema->dump(), [schema] { return generate::json_schema_rules(*schema); });
  }
  if (const Json* grammar = stated(body, "grammar")) {
    given.emplace_back("gbnf " + grammar->as_string(), [grammar] { return generate::parse_gbnf(grammar->as_string()); });
  }
  if (const Json* regex = stated(body, "regex")) {
    given.emplace_back("regex " + regex->as_string(), [regex] { return generate::regex_rules(regex->as_string()); });
  }
  if (const Json* choices = stated(body, "choice")) {
    given.emplace_back("choice " + choices->dump(), [choices] {
      std::vector<std::string> texts;
      for (const Json& choice : choices->as_array()) texts.push_back(choice.as_string());
      return Rules(generate::choice_rules(texts));
    });
  }
  if (given.empty()) return {};
  if (given.size() > 1)
    return Status::invalid("response_format: more than one of response_format, grammar, regex and choice is given; choose one");
  if (options.stop_ids.empty())
    return Status::unsupported("response_format: no token ends an answer (ignore_eos, or the model has none); leave it out");
  ATELIER_TRY(const auto constraint, model.constraint(given[0].first, given[0].second));
  options.mask = constraint->mask(options.stop_ids);
  return {};
}

}  // namespace atelier::serve
