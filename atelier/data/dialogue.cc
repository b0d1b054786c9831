#include "atelier/data/dialogue.h"

#include <algorithm>
#include <charconv>

namespace atelier::data {
namespace {

using Ranges = std::vector<std::pair<size_t, size_t>>;

// How many tokens may stand between an answer and the special token that ends its turn: a line break, a space.
constexpr size_t kTokensBeforeEnd = 4;

// ids and which of them carry loss -> positions that predict the next one.
Example shifted(const std::vector<int32_t>& ids, const std::vector<bool>& has_loss) {
  Example example;
  for (size_t t = 0; t + 1 < ids.size(); ++t) {
    example.ids.push_back(ids[t]);
    example.labels.push_back(has_loss[t + 1] ? ids[t + 1] : kIgnoredLabel);
  }
  return example;
}

// "messages[12].content" -> 12, or -1.
int64_t message_of(const std::string& path) {
  constexpr std::string_view kPrefix = "messages[";
  if (!path.starts_with(kPrefix)) return -1;
  int64_t index = -1;
  std::from_chars(path.data() + kPrefix.size(), path.data() + path.size(), index);
  return index;
}

bool is_assistant(const Json& messages, int64_t index) {
  const auto& array = messages.as_array();
  if (index < 0 || static_cast<size_t>(index) >= array.size()) return false;
  const Json* role = array[static_cast<size_t>(index)].find("role");
  return role && role->is_string() && role->as_string() == "assistant";
}

// Bytes of the rendered text that assistants said.
Ranges answers(const tokenize::RenderedChat& rendered, const Json& messages) {
  if (!rendered.generation.empty()) return rendered.generation;
  Ranges ranges;
  for (const auto& origin : rendered.origins) {
    if (is_assistant(messages, message_of(origin.path))) ranges.push_back({origin.begin, origin.end});
  }
  return ranges;
}

// Tokens that touch a range; behind each run of them the special token that ends the turn, with what stands before it.
std::vector<bool> tokens_of(const Ranges& ranges, const tokenize::Encoding& encoding, const tokenize::Tokenizer& tokenizer) {
  std::vector<bool> has_loss(encoding.ids.size(), false);
  for (size_t t = 0; t < encoding.ids.size(); ++t) {
    const auto [begin, end] = encoding.offsets[t];
    has_loss[t] = std::any_of(ranges.begin(), ranges.end(),
                              [&, begin = begin, end = end](const auto& range) { return begin < range.second && end > range.first; });
  }
  for (size_t t = 1; t < has_loss.size(); ++t) {
    if (!has_loss[t - 1] || has_loss[t] || tokenizer.is_special(encoding.ids[t - 1])) continue;
    size_t end = t;
    while (end < has_loss.size() && end < t + kTokensBeforeEnd && !tokenizer.is_special(encoding.ids[end]) && !has_loss[end]) ++end;
    if (end < has_loss.size() && tokenizer.is_special(encoding.ids[end]))
      std::fill(has_loss.begin() + static_cast<int64_t>(t), has_loss.begin() + static_cast<int64_t>(end) + 1, true);
  }
  return has_loss;
}

Result<Example> encode_chat(const DialogueEncoder& encoder, const Json& messages) {
  if (!encoder.chat_template) return Status::unsupported("data: the model has no chat template; use records with prompt and completion");
  tokenize::TemplateInput input;
  input.messages = messages;
  input.add_generation_prompt = false;
  input.bos_token = encoder.bos_token;
  input.eos_token = encoder.eos_token;
  ATELIER_TRY(const tokenize::RenderedChat rendered, encoder.chat_template->render(input));
  tokenize::EncodeOptions options;
  options.add_special_tokens = false;
  options.trusted = &rendered.trusted;
  ATELIER_TRY(const tokenize::Encoding encoding, encoder.tokenizer->encode(rendered.text, options));
  return shifted(encoding.ids, tokens_of(answers(rendered, messages), encoding, *encoder.tokenizer));
}

Result<Example> encode_pair(const DialogueEncoder& encoder, const std::string& prompt, const std::string& completion) {
  ATELIER_TRY(std::vector<int32_t> ids, encoder.tokenizer->encode_ids(prompt));
  if (const auto eos = encoder.tokenizer->eos(); eos && !ids.empty() && ids.back() == *eos) ids.pop_back();
  const size_t num_prompt = ids.size();
  tokenize::EncodeOptions options;
  options.add_special_tokens = false;
  ATELIER_TRY(const std::vector<int32_t> answer, encoder.tokenizer->encode_ids(completion, options));
  ids.insert(ids.end(), answer.begin(), answer.end());
  if (const auto eos = encoder.tokenizer->eos()) ids.push_back(*eos);
  std::vector<bool> has_loss(ids.size(), false);
  std::fill(has_loss.begin() + static_cast<int64_t>(num_prompt), has_loss.end(), true);
  return shifted(ids, has_loss);
}

Result<Example> encode_instruction(const DialogueEncoder& encoder, const Json& record) {
  ATELIER_TRY(const std::string instruction, record.get_string("instruction"));
  ATELIER_TRY(const std::string input, record.get_string("input", ""));
  ATELIER_TRY(const std::string output, record.get_string("output"));
  if (encoder.chat_template) {
    Json messages = Json::array();
    messages.push_back(Json::object().set("role", "user").set("content", input.empty() ? instruction : instruction + "\n\n" + input));
    messages.push_back(Json::object().set("role", "assistant").set("content", output));
    return encode_chat(encoder, messages);
  }
  // Taori et al. 2023, github.com/tatsu-lab/stanford_alpaca
  const std::string prompt =
      input.empty() ? "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
                      "### Instruction:\n" +
                          instruction + "\n\n### Response:\n"
                    : "Below is an instruction that describes a task, paired with an input that provides further context. Write a response "
                      "that appropriately completes the request.\n\n### Instruction:\n" +
                          instruction + "\n\n### Input:\n" + input + "\n\n### Response:\n";
  return encode_pair(encoder, prompt, output);
}

}  // namespace

Result<Example> DialogueEncoder::encode(const Json& record) const {
  switch (format) {
    case RecordFormat::kInstruction:
      return encode_instruction(*this, record);
    case RecordFormat::kPairs: {
      ATELIER_TRY(const std::string prompt, record.get_string("prompt"));
      ATELIER_TRY(const std::string completion, record.get_string("completion"));
      return encode_pair(*this, prompt, completion);
    }
    case RecordFormat::kChat: {
      const Json* messages = record.find("messages");
      if (!messages || !messages->is_array()) return Status::corrupt("messages: is missing, must be an array of {role, content}");
      return encode_chat(*this, *messages);
    }
  }
  return Status::invalid("data: unknown format");
}

}  // namespace atelier::data
