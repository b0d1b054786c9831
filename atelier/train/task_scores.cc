#include "atelier/train/task_scores.h"

#include <algorithm>
#include <span>

#include "atelier/metrics/answers.h"
#include "atelier/metrics/entities.h"
#include "atelier/metrics/labels.h"
#include "atelier/metrics/numbers.h"
#include "atelier/models/head_outputs.h"
#include "atelier/train/batches.h"

namespace atelier::train {
namespace {

using Logits = std::vector<float>;

int32_t largest(std::span<const float> logits) { return static_cast<int32_t>(std::ranges::max_element(logits) - logits.begin()); }

struct Outputs {
  double loss = 0;
  std::vector<Logits> logits;  // of every row, each with all its documents
};

Result<Outputs> outputs_of(models::TrainableModel& model, const TaskRows& rows, int64_t most_rows) {
  std::vector<data::Row> plain;
  for (const TaskRow& row : rows.rows) plain.push_back(row.row);
  const nn::HeadSpec& head = model.spec().head;
  const bool is_of_text = nn::head_def(head.kind).is_of_text;
  const double weight = 1.0 / static_cast<double>(count_labels(plain));
  Outputs out;
  for (const data::Row& micro : micro_batches(plain, most_rows)) {
    ATELIER_TRY(const models::TaskOutputs part, model.task_outputs(batch_of(micro, 0, weight), weight));
    out.loss += part.loss;
    auto next = part.logits.begin();
    while (next != part.logits.end()) {
      const data::Row& row = plain[out.logits.size()];
      const size_t count = (is_of_text ? row.lengths.size() : row.ids.size()) * static_cast<size_t>(head.num_labels);
      out.logits.emplace_back(next, next + static_cast<std::ptrdiff_t>(count));
      next += static_cast<std::ptrdiff_t>(count);
    }
  }
  return out;
}

Scores one_label(const std::vector<Logits>& logits, const TaskRows& rows, int64_t num_labels) {
  std::vector<int32_t> predicted, expected;
  for (size_t i = 0; i < logits.size(); ++i) {
    predicted.push_back(largest(logits[i]));
    expected.push_back(rows.rows[i].row.text_labels[0]);
  }
  const std::vector<metrics::Counts> classes = metrics::count_classes(predicted, expected);
  const metrics::Rates rates = num_labels == 2 ? metrics::binary_rates(predicted, expected) : metrics::macro_rates(classes);
  return {{"accuracy", metrics::accuracy(predicted, expected)}, {"f1", rates.f1}, {"matthews", metrics::matthews(predicted, expected)}};
}

Scores many_labels(const std::vector<Logits>& logits, const TaskRows& rows, int64_t num_labels) {
  std::vector<metrics::Counts> classes(static_cast<size_t>(num_labels));
  for (size_t i = 0; i < logits.size(); ++i) {
    for (size_t n = 0; n < classes.size(); ++n) {
      const bool is_predicted = logits[i][n] >= 0, is_expected = rows.rows[i].row.targets[n] > 0;
      classes[n] += {is_predicted && is_expected, is_predicted, is_expected};
    }
  }
  return {{"f1", metrics::micro_rates(classes).f1}, {"f1_macro", metrics::macro_rates(classes).f1}};
}

Scores regression(const std::vector<Logits>& logits, const TaskRows& rows) {
  std::vector<double> predicted, expected;
  for (size_t i = 0; i < logits.size(); ++i) {
    predicted.push_back(logits[i][0]);
    expected.push_back(rows.rows[i].row.targets[0]);
  }
  return {{"spearman", metrics::spearman(predicted, expected)}, {"pearson", metrics::pearson(predicted, expected)}};
}

// Words without a token, or behind the context, count as outside.
Scores tokens(const std::vector<Logits>& logits, const TaskRows& rows, const nn::HeadSpec& head) {
  const auto N = static_cast<size_t>(head.num_labels);
  std::vector<std::vector<std::string>> predicted, expected;
  int64_t equal = 0, count = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    const TaskRow& row = rows.rows[i];
    const Json::Array& tags = rows.records[static_cast<size_t>(row.record)].find("tags")->as_array();
    auto& found = predicted.emplace_back();
    auto& wanted = expected.emplace_back();
    for (size_t word = 0; word < tags.size(); ++word) {
      const int32_t token = row.first_tokens[word];
      found.push_back(token < 0 ? "O" : models::label_name(head, largest(std::span(logits[i]).subspan(static_cast<size_t>(token) * N, N))));
      wanted.push_back(tags[word].is_string() ? tags[word].as_string() : tags[word].dump());
      equal += found.back() == wanted.back();
      ++count;
    }
  }
  const double accuracy = count > 0 ? static_cast<double>(equal) / static_cast<double>(count) : 0;
  const auto is_inside = [](const std::string& label) { return label.starts_with("B-") || label.starts_with("I-"); };
  if (std::ranges::none_of(head.labels, is_inside)) return {{"accuracy", accuracy}};
  const metrics::Rates rates = metrics::entity_scores(predicted, expected, metrics::EntityScheme::kConll).all;
  return {{"f1", rates.f1}, {"precision", rates.precision}, {"recall", rates.recall}, {"accuracy", accuracy}};
}

Scores choices(const std::vector<Logits>& logits, const TaskRows& rows) {
  std::vector<int32_t> predicted, expected;
  for (size_t i = 0; i < logits.size(); ++i) {
    predicted.push_back(largest(logits[i]));
    expected.push_back(rows.rows[i].row.text_labels[0]);
  }
  return {{"accuracy", metrics::accuracy(predicted, expected)}};
}

struct Answer {
  float score = -1e30f;
  size_t begin = 0, end = 0;  // bytes of the document
};

// Logits add up, so that windows can be compared (run_squad.py).
void find_answer(const Logits& logits, const models::EncoderInput& window, Answer& best) {
  constexpr int64_t kMaxTokens = 30;
  for (int64_t first = window.second_begin; first < window.second_end; ++first) {
    for (int64_t last = first; last < std::min(window.second_end, first + kMaxTokens); ++last) {
      const float score = logits[static_cast<size_t>(2 * first)] + logits[static_cast<size_t>(2 * last + 1)];
      if (score <= best.score) continue;
      best = {score, window.offsets[static_cast<size_t>(first)].first, window.offsets[static_cast<size_t>(last)].second};
    }
  }
}

Result<Scores> answers(const std::vector<Logits>& logits, const TaskRows& rows) {
  double exact = 0, f1 = 0, count = 0;
  for (size_t i = 0; i < logits.size();) {
    const int64_t number = rows.rows[i].record;
    const Json& record = rows.records[static_cast<size_t>(number)];
    Answer best;
    for (; i < logits.size() && rows.rows[i].record == number; ++i) find_answer(logits[i], rows.rows[i].window, best);
    std::vector<std::string> accepted;
    for (const Json& answer : record.find("answers")->as_array()) {
      ATELIER_TRY(std::string text, answer.get_string("text"));
      accepted.push_back(std::move(text));
    }
    const std::string& context = record.find("context")->as_string();
    ATELIER_TRY(const metrics::AnswerScore score, metrics::answer_score(context.substr(best.begin, best.end - best.begin), accepted));
    exact += score.exact_match;
    f1 += score.f1;
    ++count;
  }
  return Scores{{"f1", f1 / count}, {"exact_match", exact / count}};
}

Result<Scores> scores_of(const std::vector<Logits>& logits, const TaskRows& rows, const nn::HeadSpec& head) {
  if (head.kind == nn::HeadKind::kToken) return tokens(logits, rows, head);
  if (head.kind == nn::HeadKind::kSpan) return answers(logits, rows);
  if (head.kind == nn::HeadKind::kChoice) return choices(logits, rows);
  if (head.problem == nn::ProblemKind::kRegression) return regression(logits, rows);
  if (head.problem == nn::ProblemKind::kManyLabels) return many_labels(logits, rows, head.num_labels);
  return one_label(logits, rows, head.num_labels);
}

}  // namespace

Result<Judgement> judge(models::TrainableModel& model, const TaskRows& rows, int64_t most_rows) {
  ATELIER_TRY(const Outputs outputs, outputs_of(model, rows, most_rows));
  ATELIER_TRY(Scores scores, scores_of(outputs.logits, rows, model.spec().head));
  return Judgement{outputs.loss, std::move(scores)};
}

}  // namespace atelier::train
