#include "atelier/serve/generation_options.h"

#include <fmt/format.h>

#include <random>

#include "atelier/base/strings.h"
#include "atelier/generate/default_sampling.h"
#include "atelier/generate/dry_breakers.h"
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

// Texts that no repetition crosses.
std::vector<std::string> breakers_of(const Json& body) {
  std::vector<std::string> breakers;
  const Json* given = stated(body, "dry_sequence_breakers");
  if (given == nullptr) return generate::usual_dry_breakers();
  for (const Json& text : given->as_array()) breakers.push_back(text.as_string());
  return breakers;
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
  sampling.penalty_window = integer_or(body, "penalty_window", 0);
  sampling.dry_multiplier = number_or(body, "dry_multiplier", 0);
  sampling.dry_base = number_or(body, "dry_base", sampling.dry_base);
  sampling.dry_allowed_length = integer_or(body, "dry_allowed_length", sampling.dry_allowed_length);
  sampling.dry_window = integer_or(body, "dry_window", 0);
  if (sampling.dry_multiplier > 0) sampling.dry_breakers = model.dry_breakers(breakers_of(body));
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

// `lora`: [{"id", "scale"}], llama.cpp's member with names for numbers.
Status read_adapters(const Json& body, const ServedModel& model, std::vector<generate::AdapterChoice>& adapters) {
  const Json* given = stated(body, "lora");
  if (given == nullptr) return {};
  const auto known = model.adapters();
  for (const Json& one : given->as_array()) {
    const std::string id = text_or(one, "id", "");
    if (!known.contains(id)) return Status::invalid(fmt::format("lora: {}, no such adapter is loaded; see /lora-adapters", quoted(id)));
    adapters.push_back({id, static_cast<float>(number_or(one, "scale", 1))});
  }
  return {};
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
  ATELIER_RETURN_IF_ERROR(read_adapters(body, model, options.adapters));
  if (!flag_or(body, "ignore_eos", false)) options.stop_ids = model.model().defaults().stop_ids;
  if (const Json* stop = stated(body, "stop")) {
    for (const Json& text : stop->is_array() ? stop->as_array() : Json::Array{*stop}) options.stop_strings.push_back(text.as_string());
  }
  return options;
}

Result<std::optional<NamedRules>> answer_rules(const Json& body) {
  const Json* format = stated(body, "response_format");
  const std::string type = format != nullptr ? text_or(*format, "type", "text") : "text";
  std::vector<NamedRules> given;
  if (type == "json_object") given.push_back({"object", [] { return Rules(generate::json_object_rules()); }});
  if (type == "json_schema") {
    // OpenAI's {"json_schema": {"name", "schema"}}; a schema without that wrapping is taken as well.
    const Json* wrapped = stated(*format, "json_schema");
    const Json* schema = wrapped != nullptr ? stated(*wrapped, "schema") : stated(*format, "schema");
    if (schema == nullptr) return Status::invalid("response_format.json_schema.schema: is missing, it is needed");
    given.push_back({"schema " + schema->dump(), [schema] { return generate::json_schema_rules(*schema); }});
  }
  if (const Json* grammar = stated(body, "grammar")) {
    given.push_back({"gbnf " + grammar->as_string(), [grammar] { return generate::parse_gbnf(grammar->as_string()); }});
  }
  if (const Json* regex = stated(body, "regex")) {
    given.push_back({"regex " + regex->as_string(), [regex] { return generate::regex_rules(regex->as_string()); }});
  }
  if (const Json* choices = stated(body, "choice")) {
    given.push_back({"choice " + choices->dump(), [choices] {
                       std::vector<std::string> texts;
                       for (const Json& choice : choices->as_array()) texts.push_back(choice.as_string());
                       return Rules(generate::choice_rules(texts));
                     }});
  }
  if (given.size() > 1)
    return Status::invalid("response_format: more than one of response_format, grammar, regex and choice is given; choose one");
  if (given.empty()) return std::optional<NamedRules>();
  return std::optional(std::move(given[0]));
}

Status constrain(const Json& body, const ServedModel& model, generate::GenerateOptions& options) {
  ATELIER_TRY(const auto rules, answer_rules(body));
  if (!rules) return {};
  if (options.stop_ids.empty())
    return Status::unsupported("response_format: no token ends an answer (ignore_eos, or the model has none); leave it out");
  ATELIER_TRY(const auto constraint, model.constraint(rules->key, rules->rules));
  options.mask = constraint->mask(options.stop_ids);
  return {};
}

}  // namespace atelier::serve
