#include "atelier/train/answers.h"

#include <algorithm>
#include <map>

#include "atelier/base/strings.h"

namespace atelier::train {
namespace {

// Of one document; no prompt where nothing carries loss.
Question question_of(std::span<const int32_t> ids, std::span<const int32_t> labels) {
  const auto begin = std::ranges::find_if(labels, [](int32_t label) { return label != data::kIgnoredLabel; });
  const auto end = std::find(begin, labels.end(), data::kIgnoredLabel);
  if (begin == labels.end()) return {};
  return {{ids.begin(), ids.begin() + (begin - labels.begin()) + 1}, {begin, end}};
}

std::string text_of(const Json& line, const char* key) { return line.find(key)->as_string(); }

}  // namespace

std::vector<Question> first_questions(const std::vector<data::Row>& rows, int64_t count) {
  std::map<uint64_t, Question> questions;  // by the documents' numbers
  for (const data::Row& row : rows) {
    size_t begin = 0;
    for (size_t i = 0; i < row.lengths.size(); ++i) {
      const auto length = static_cast<size_t>(row.lengths[i]);
      Question question = question_of(std::span(row.ids).subspan(begin, length), std::span(row.labels).subspan(begin, length));
      if (!question.prompt.empty()) questions.emplace(row.samples[i], std::move(question));
      begin += length;
    }
  }
  std::vector<Question> first;
  for (auto& [number, question] : questions) {
    if (static_cast<int64_t>(first.size()) < count) first.push_back(std::move(question));
  }
  return first;
}

Result<std::vector<Json>> answer_questions(nn::Transformer& transformer, const tokenize::Tokenizer& tokenizer,
                                           const std::vector<Question>& questions, SampleOptions options, int64_t step) {
  options.temperature = 0;
  std::vector<Json> lines;
  for (const Question& question : questions) {
    options.prompt = question.prompt;
    ATELIER_TRY(const std::string asked, tokenizer.decode(question.prompt));
    ATELIER_TRY(const std::string expected, tokenizer.decode(question.expected));
    ATELIER_TRY(const std::string answer, sample_text(transformer, tokenizer, options));
    lines.push_back(Json::object()
                        .set("step", step)
                        .set("question", std::string(trim_ascii(asked)))
                        .set("expected", std::string(trim_ascii(expected)))
                        .set("answer", std::string(trim_ascii(answer))));
  }
  return lines;
}

std::vector<ComparedAnswer> compared_answers(const std::vector<Json>& log) {
  std::vector<ComparedAnswer> compared;
  for (const Json& line : log) {
    if (!line.contains("question")) continue;
    const std::string question = text_of(line, "question");
    auto known = std::ranges::find(compared, question, &ComparedAnswer::question);
    if (known == compared.end()) known = compared.insert(known, {question, text_of(line, "expected"), "", ""});
    (line.find("step")->as_int() == 0 ? known->before : known->after) = text_of(line, "answer");
  }
  return compared;
}

}  // namespace atelier::train
