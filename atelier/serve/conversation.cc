#include "atelier/serve/conversation.h"

#include <algorithm>

#include "atelier/serve/chat_input.h"
#include "atelier/serve/generation_options.h"

namespace atelier::serve {
namespace {

bool is_systems(const Json& message) {
  const std::string role = text_or(message, "role", "");
  return role == "system" || role == "developer";
}

// Where turns begin behind the first one.
std::vector<size_t> later_turns(const Json::Array& messages) {
  std::vector<size_t> turns;
  bool is_first = true;
  for (size_t i = 0; i < messages.size(); ++i) {
    if (is_systems(messages[i])) continue;
    if (!is_first && text_or(messages[i], "role", "") == "user") turns.push_back(i);
    is_first = false;
  }
  return turns;
}

// The conversation from message `first` on.
ChatInput from(const ChatInput& input, size_t first) {
  ChatInput out = input;
  Json::Array& messages = out.messages.as_array();
  const auto begin = messages.begin() + static_cast<std::ptrdiff_t>(first);
  messages.erase(std::remove_if(messages.begin(), begin, [](const Json& message) { return !is_systems(message); }), begin);
  return out;
}

// The prompt of the longest end of the conversation that fits. A prompt is shorter the later it begins: few have to be rendered.
Result<generate::ChatPrompt> fitting_prompt(const ChatInput& input, const ServedModel& model, int64_t& num_cut) {
  ATELIER_TRY(generate::ChatPrompt prompt, chat_prompt_of(input, model));
  const auto fits = [&] { return static_cast<int64_t>(prompt.ids.size()) < model.context(); };
  const std::vector<size_t> turns = later_turns(input.messages.as_array());
  size_t begin = 0, end = turns.size();  // the earliest turn that fits is in [begin, end]; end: none
  if (fits() || turns.empty()) return prompt;
  std::optional<generate::ChatPrompt> best;
  while (begin < end) {
    const size_t middle = (begin + end) / 2;
    const ChatInput rest = from(input, turns[middle]);
    ATELIER_TRY(prompt, chat_prompt_of(rest, model));
    if (fits()) {
      end = middle;
      num_cut = static_cast<int64_t>(input.messages.as_array().size() - rest.messages.as_array().size());
      best = std::move(prompt);
    } else {
      begin = middle + 1;
    }
  }
  return best ? std::move(*best) : std::move(prompt);
}

}  // namespace

std::optional<ApiError> read_conversation(const Json& body, const ServedModel& model, bool may_cut, Conversation& out) {
  auto tools = tool_request(body);
  if (!tools.ok()) return api_error(tools.status(), "tools");
  out.tools = std::move(*tools);
  ChatInput input = chat_input(body);
  input.tools = out.tools.tools;
  auto prompt = may_cut && flag_or(body, "truncate", false) ? fitting_prompt(input, model, out.num_cut) : chat_prompt_of(input, model);
  if (!prompt.ok()) return api_error(prompt.status(), "messages");
  out.prompt = std::move(*prompt);
  return std::nullopt;
}

}  // namespace atelier::serve
