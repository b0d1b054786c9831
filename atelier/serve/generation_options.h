// The fields of OpenAI's requests that say how an answer is generated, and those that local servers add to them (top_k, min_p, …).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/generate/request.h"
#include "atelier/serve/served_model.h"

namespace atelier::serve {

// Members that are absent or null, read from a body that openapi.json's schema has accepted.
double number_or(const Json& body, std::string_view key, double fallback);
int64_t integer_or(const Json& body, std::string_view key, int64_t fallback);
bool flag_or(const Json& body, std::string_view key, bool fallback);
std::string text_or(const Json& body, std::string_view key, const std::string& fallback);

// Samplers, seed, stop texts, the limit of tokens: everything but logprobs and the shape of the answer. What the body does not state is the
// model's default. InvalidArgument names the field.
Result<generate::GenerateOptions> generation_options(const Json& body, const ServedModel& model);

// A grammar, and what tells it from others.
struct NamedRules {
  std::string key;
  std::function<Result<std::vector<generate::GrammarRule>>()> rules;
};
// What a body holds its answer to: one of `response_format`, grammar, regex and choice; nothing when it is free. The body must outlive it.
Result<std::optional<NamedRules>> answer_rules(const Json& body);

// `response_format` and the fields beside it that constrain (grammar, json_schema, regex, choice): the mask of `options`, whose stop ids
// are set.
Status constrain(const Json& body, const ServedModel& model, generate::GenerateOptions& options);

}  // namespace atelier::serve
