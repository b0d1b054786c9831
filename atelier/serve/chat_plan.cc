#include "atelier/serve/chat_plan.h"

#include <fmt/format.h>

#include "atelier/generate/staged_mask.h"
#include "atelier/serve/conversation.h"
#include "atelier/serve/generation_options.h"

namespace atelier::serve {
namespace {

using Rules = Result<std::vector<generate::GrammarRule>>;

// Rules under one root that is either of the two.
Rules either(const Rules& one, const Rules& other) {
  if (!one.ok()) return one;
  if (!other.ok()) return other;
  return generate::alternative_rules(*one, *other);
}

struct Constraining {
  std::string key;
  std::function<Rules()> rules;
  std::string sign;  // behind which it holds
};

// Behind a thought: what begins a message in channels, where the model writes these, then the rules.
Rules in_message(Rules rules, const char* head, const generate::ToolFormat& of_model) {
  using E = generate::Expression;
  if (!rules.ok() || !of_model.has_channels) return rules;
  std::vector<generate::GrammarRule> out = {{"root", {}}};
  const E content = E::reference(generate::append_rules(std::move(*rules), out));
  out[0].expression = E::sequence({E::optional(E::literal("<|start|>assistant")), E::literal(head), content});
  return out;
}

// What the request's tools allow an answer to be, together with `format`, which may be nothing.
std::optional<Constraining> constraining_of(const ToolRequest& tools, std::optional<NamedRules> format, const ServedModel& model) {
  const generate::ToolFormat& of_model = model.tool_format();
  if (format) {
    format->rules = [rules = format->rules, &of_model] { return in_message(rules(), "<|channel|>final<|message|>", of_model); };
  }
  if (tools.choice == ToolChoice::kNone) {
    if (!format) return std::nullopt;
    return Constraining{format->key, format->rules, ""};
  }
  const bool is_required = tools.choice == ToolChoice::kRequired;
  const std::string sign(format || is_required ? "" : generate::tool_call_sign(of_model));
  if (!format && !is_required && sign.empty()) return std::nullopt;
  std::string key = fmt::format("calls {} {} {} ", of_model.name, tools.may_repeat, sign.empty());
  for (const generate::Tool& tool : tools.callable) key += tool.name + " " + tool.parameters.dump() + "\n";
  const auto calls = [tools = tools.callable, &of_model, may_repeat = tools.may_repeat && !of_model.has_channels, is_open = !sign.empty(),
                      is_exact = is_required || tools.is_strict]() -> Rules {
    Rules rules = generate::tool_call_rules(of_model, tools, may_repeat, is_open);
    if (!rules.ok() && !is_exact) {
      // A schema that cannot be followed: a call that nobody asked for may have any arguments.
      auto loose = tools;
      for (generate::Tool& tool : loose) tool.parameters = Json();
      rules = generate::tool_call_rules(of_model, loose, may_repeat, is_open);
    }
    return is_open ? rules : in_message(std::move(rules), "", of_model);
  };
  if (!format || is_required) return Constraining{std::move(key), calls, sign};
  return Constraining{key + format->key, [calls, of_text = format->rules] { return either(of_text(), calls()); }, ""};
}

// A mask of its own for each answer.
Status constrain_answer(const Constraining& constraining, generate::ThoughtStart thought, const ServedModel& model,
                        generate::GenerateOptions& options) {
  if (options.stop_ids.empty()) {
    if (!constraining.sign.empty()) return {};  // nothing was asked for
    return Status::unsupported("response_format: the model has no token that ends an answer; leave it out");
  }
  ATELIER_TRY(const auto constraint, model.constraint(constraining.key, constraining.rules));
  if (thought == generate::ThoughtStart::kNone && constraining.sign.empty()) {
    options.mask = constraint->mask(options.stop_ids);
  } else {
    options.mask = generate::staged_mask(constraint, options.stop_ids, {thought, model.thought_tags(), constraining.sign});
  }
  return {};
}

}  // namespace

std::optional<ApiError> plan_chat(const Json& body, const ServedModel& model, ChatPlan& plan) {
  Conversation conversation;
  if (auto error = read_conversation(body, model, true, conversation)) return error;
  const ToolRequest& tools = conversation.tools;
  plan.num_cut = conversation.num_cut;
  auto options = generation_options(body, model);
  if (!options.ok()) return api_error(options.status());
  auto format = answer_rules(body);
  if (!format.ok()) return api_error(format.status(), "response_format");

  AnswerSpec spec{conversation.prompt.ids, *options, flag_or(body, "logprobs", false)};
  spec.options.num_top = static_cast<int>(integer_or(body, "top_logprobs", 0));
  if (spec.options.num_top > 0 && !spec.wants_reports)
    return ApiError{400, "top_logprobs: given without logprobs; set logprobs to true", "top_logprobs"};
  const bool has_tools = tools.choice != ToolChoice::kNone;
  const generate::ThoughtStart thought = flag_or(body, "continue_final_message", false)
                                             ? generate::ThoughtStart::kNone
                                             : generate::thought_start(conversation.prompt.text, model.chat_template()->source());
  spec.splits_thoughts = true;
  spec.starts_inside_thought = thought == generate::ThoughtStart::kInside;
  spec.thought_tags = model.thought_tags();
  spec.options.shown_ids = model.shown_ids(has_tools);
  if (has_tools || model.tool_format().has_channels) {
    spec.tool_format = &model.tool_format();
    spec.tools = tools.callable;
  }
  const auto constraining = constraining_of(tools, std::move(*format), model);
  plan.specs.assign(static_cast<size_t>(integer_or(body, "n", 1)), spec);
  for (size_t i = 0; i < plan.specs.size(); ++i) {
    plan.specs[i].options.sequence = i;  // other random numbers for each
    if (!constraining) continue;
    if (const Status status = constrain_answer(*constraining, thought, model, plan.specs[i].options); !status.ok())
      return api_error(status, tools.choice == ToolChoice::kNone ? "response_format" : "tools");
  }
  return std::nullopt;
}

}  // namespace atelier::serve
