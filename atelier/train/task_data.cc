#include "atelier/train/task_data.h"

#include <algorithm>
#include <set>
#include <span>

#include "atelier/base/strings.h"
#include "atelier/text/utf8.h"

namespace atelier::train {
namespace {

using data::TaskKind;

Result<const Json::Array*> array_of(const Json& record, const char* key) {
  const Json* found = record.find(key);
  if (found == nullptr || !found->is_array()) return Status::corrupt(quoted(key) + " is missing, must be a list");
  return &found->as_array();
}

Result<const Json*> member_of(const Json& record, const char* key) {
  const Json* found = record.find(key);
  if (found == nullptr || found->is_null()) return Status::corrupt(quoted(key) + " is missing");
  return found;
}

// A label's name, also of one that is written as a number.
Result<std::string> name_of(const Json& label) {
  if (label.is_string()) return label.as_string();
  if (label.is_int()) return std::to_string(label.as_int());
  return Status::corrupt("label " + label.dump() + " must be a name or an integer");
}

Result<double> number_of(const Json& label) {
  if (label.is_number()) return label.as_double();
  const auto number = label.is_string() ? parse_double(label.as_string()) : std::nullopt;
  if (!number) return Status::corrupt("label " + label.dump() + " must be a number for a regression");
  return *number;
}

// What is named in a record: its label, a list of them, or a word's tags.
Result<std::vector<std::string>> names_of(TaskKind task, const Json& record) {
  ATELIER_TRY(const Json* labels, member_of(record, task == TaskKind::kTokens ? "tags" : "label"));
  std::vector<std::string> names;
  const auto list = labels->is_array() ? std::span<const Json>(labels->as_array()) : std::span<const Json>(labels, 1);
  for (const Json& label : list) {
    ATELIER_TRY(std::string name, name_of(label));
    names.push_back(std::move(name));
  }
  return names;
}

Status at_record(const Status& status, size_t index) { return status.with_context("record " + std::to_string(index + 1)); }

void add_document(const models::EncoderInput& input, data::Row& row) {
  data::Row one;
  one.ids = input.ids;
  one.labels.assign(input.ids.size(), data::kIgnoredLabel);
  one.lengths = {std::ssize(input.ids)};
  one.samples = {0};
  one.segments = input.segments;
  row.append(one);
}

// The bytes before character `count` of valid text, or its size.
size_t bytes_before(std::string_view text, int64_t count) {
  size_t at = 0;
  for (; count > 0 && at < text.size(); --count) at += text::utf8_length(text[at]);
  return std::min(at, text.size());
}

struct Bytes {
  size_t begin, end;
};

// The first answer's place in the document. SQuAD counts characters.
Result<Bytes> answer_bytes(const Json& record, const std::string& context) {
  ATELIER_TRY(const Json::Array* answers, array_of(record, "answers"));
  if (answers->empty()) return Status::corrupt("\"answers\" is empty");
  ATELIER_TRY(const std::string answer, (*answers)[0].get_string("text"));
  ATELIER_TRY(const int64_t start, (*answers)[0].get_int("answer_start"));
  const size_t begin = start < 0 ? context.size() : bytes_before(context, start);
  if (answer.empty() || context.compare(begin, answer.size(), answer) != 0) {
    return Status::corrupt("answer " + quoted(answer) + " does not stand at character " + std::to_string(start) + " of the context");
  }
  return Bytes{begin, begin + answer.size()};
}

// First and last token of the answer in a window, or none.
std::pair<int32_t, int32_t> answer_rows(const models::EncoderInput& window, const Bytes& answer) {
  int32_t first = -1, last = -1;
  for (int64_t t = window.second_begin; t < window.second_end; ++t) {
    const auto [begin, end] = window.offsets[static_cast<size_t>(t)];
    if (begin <= answer.begin && answer.begin < end) first = static_cast<int32_t>(t);
    if (begin < answer.end && answer.end <= end) last = static_cast<int32_t>(t);
  }
  return first >= 0 && last >= first ? std::pair{first, last} : std::pair{-1, -1};
}

}  // namespace

Result<std::vector<std::string>> labels_of(TaskKind task, const std::vector<std::vector<Json>>& files) {
  std::set<std::string> found;
  size_t index = 0;
  for (const std::vector<Json>& records : files) {
    for (const Json& record : records) {
      const auto names = names_of(task, record);
      if (!names.ok()) return at_record(names.status(), index);
      found.insert(names->begin(), names->end());
      ++index;
    }
  }
  std::vector<std::string> labels(found.begin(), found.end());
  const auto is_number = [](const std::string& label) { return parse_int(label).has_value(); };
  if (std::ranges::all_of(labels, is_number)) {
    std::ranges::sort(labels, {}, [](const std::string& label) { return *parse_int(label); });
  }
  return labels;
}

nn::HeadSpec head_of(TaskKind task, nn::ProblemKind problem, std::vector<std::string> labels) {
  nn::HeadSpec head;
  switch (task) {
    case TaskKind::kNone:
      return head;
    case TaskKind::kText:
      head.kind = nn::HeadKind::kSequence;
      head.problem = problem;
      if (problem == nn::ProblemKind::kRegression) labels = {"LABEL_0"};
      break;
    case TaskKind::kTokens:
      head.kind = nn::HeadKind::kToken;
      break;
    case TaskKind::kSpan:
      return {.kind = nn::HeadKind::kSpan, .num_labels = 2};
    case TaskKind::kChoice:
      return {.kind = nn::HeadKind::kChoice, .num_labels = 1};
  }
  head.num_labels = std::ssize(labels);
  head.labels = std::move(labels);
  return head;
}

TaskEncoder::TaskEncoder(const tokenize::Tokenizer& tokenizer, TaskKind task, nn::HeadSpec head, int64_t context, int64_t shared)
    : tokenizer_(tokenizer), task_(task), head_(std::move(head)), context_(context), shared_(shared) {}

Result<TaskRows> TaskEncoder::encode(std::vector<Json> records) const {
  TaskRows out;
  out.records = std::move(records);
  for (size_t i = 0; i < out.records.size(); ++i) {
    const size_t first = out.rows.size();
    const Status status = encode_record(out.records[i], out);
    if (!status.ok()) return at_record(status, i);
    for (size_t row = first; row < out.rows.size(); ++row) out.rows[row].record = static_cast<int64_t>(i);
  }
  return out;
}

Status TaskEncoder::encode_record(const Json& record, TaskRows& out) const {
  if (task_ == TaskKind::kSpan) return encode_windows(record, out);
  TaskRow& row = out.rows.emplace_back();
  if (task_ == TaskKind::kTokens) return encode_tokens(record, row);
  return task_ == TaskKind::kChoice ? encode_choices(record, row) : encode_text(record, row);
}

Result<int32_t> TaskEncoder::label_of(const Json& label) const {
  ATELIER_TRY(const std::string name, name_of(label));
  const auto found = std::ranges::find(head_.labels, name);
  if (found != head_.labels.end()) return static_cast<int32_t>(found - head_.labels.begin());
  return Status::corrupt("label " + quoted(name) + " does not occur in the training data: " + join(head_.labels, ", "));
}

Status TaskEncoder::set_text_label(const Json& record, data::Row& row) const {
  ATELIER_TRY(const Json* label, member_of(record, "label"));
  if (head_.problem == nn::ProblemKind::kOneLabel) {
    ATELIER_TRY(const int32_t index, label_of(*label));
    row.text_labels.push_back(index);
    return {};
  }
  if (head_.problem == nn::ProblemKind::kRegression) {
    ATELIER_TRY(const double number, number_of(*label));
    row.targets.push_back(static_cast<float>(number));
    return {};
  }
  ATELIER_TRY(const Json::Array* labels, array_of(record, "label"));
  row.targets.assign(static_cast<size_t>(head_.num_labels), 0);
  for (const Json& one : *labels) {
    ATELIER_TRY(const int32_t index, label_of(one));
    row.targets[static_cast<size_t>(index)] = 1;
  }
  return {};
}

Status TaskEncoder::encode_text(const Json& record, TaskRow& out) const {
  ATELIER_TRY(const std::string text, record.get_string("text"));
  if (record.contains("text_pair")) {
    ATELIER_TRY(const std::string second, record.get_string("text_pair"));
    ATELIER_TRY(const models::EncoderInput input, models::encode_pair(tokenizer_, text, second, context_));
    add_document(input, out.row);
  } else {
    ATELIER_TRY(const models::EncoderInput input, models::encode_text(tokenizer_, text, context_));
    add_document(input, out.row);
  }
  return set_text_label(record, out.row);
}

Status TaskEncoder::encode_tokens(const Json& record, TaskRow& out) const {
  ATELIER_TRY(const Json::Array* words, array_of(record, "words"));
  ATELIER_TRY(const Json::Array* tags, array_of(record, "tags"));
  if (words->size() != tags->size()) {
    return Status::corrupt(std::to_string(words->size()) + " words have " + std::to_string(tags->size()) + " tags");
  }
  std::string text;
  std::vector<size_t> ends;  // of each word
  for (const Json& word : *words) {
    if (!word.is_string()) return Status::corrupt("word " + word.dump() + " must be text");
    text += (text.empty() ? "" : " ") + word.as_string();
    ends.push_back(text.size());
  }
  ATELIER_TRY(const models::EncoderInput input, models::encode_text(tokenizer_, text, context_));
  add_document(input, out.row);
  out.first_tokens.assign(words->size(), -1);
  for (size_t t = 0; t < input.ids.size(); ++t) {
    const auto [begin, end] = input.offsets[t];
    if (begin == end) continue;
    // The word that the token ends in: it may begin with the space before it.
    const auto word = static_cast<size_t>(std::ranges::lower_bound(ends, end) - ends.begin());
    if (word >= ends.size() || out.first_tokens[word] >= 0) continue;
    ATELIER_TRY(const int32_t label, label_of((*tags)[word]));
    out.first_tokens[word] = static_cast<int32_t>(t);
    out.row.labels[t] = label;
  }
  return {};
}

Status TaskEncoder::encode_choices(const Json& record, TaskRow& out) const {
  ATELIER_TRY(const std::string text, record.get_string("text"));
  ATELIER_TRY(const Json::Array* choices, array_of(record, "choices"));
  for (const Json& choice : *choices) {
    if (!choice.is_string()) return Status::corrupt("choice " + choice.dump() + " must be text");
    ATELIER_TRY(const models::EncoderInput input, models::encode_pair(tokenizer_, text, choice.as_string(), context_));
    add_document(input, out.row);
  }
  ATELIER_TRY(const int64_t label, record.get_int("label"));
  if (label < 0 || label >= std::ssize(*choices)) {
    return Status::corrupt("label " + std::to_string(label) + " of " + std::to_string(choices->size()) + " choices");
  }
  out.row.groups = {std::ssize(*choices)};
  out.row.text_labels = {static_cast<int32_t>(label)};
  return {};
}

Status TaskEncoder::encode_windows(const Json& record, TaskRows& out) const {
  ATELIER_TRY(const std::string question, record.get_string("question"));
  ATELIER_TRY(const std::string context, record.get_string("context"));
  ATELIER_TRY(const Bytes answer, answer_bytes(record, context));
  ATELIER_TRY(std::vector<models::EncoderInput> windows, models::encode_windows(tokenizer_, question, context, context_, shared_));
  for (models::EncoderInput& window : windows) {
    TaskRow& row = out.rows.emplace_back();
    add_document(window, row.row);
    const auto [first, last] = answer_rows(window, answer);
    row.row.text_labels = {std::max(first, 0), std::max(last, 0)};
    row.window = std::move(window);
  }
  return {};
}

}  // namespace atelier::train
