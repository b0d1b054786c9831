#include "atelier/models/head_outputs.h"

#include <algorithm>
#include <cmath>

namespace atelier::models {
namespace {

std::vector<double> softmax(std::span<const float> logits) {
  const double largest = *std::ranges::max_element(logits);
  std::vector<double> out;
  double sum = 0;
  for (const float x : logits) sum += out.emplace_back(std::exp(x - largest));
  for (double& p : out) p /= sum;
  return out;
}

struct Word {
  size_t begin, end;
  std::string label;
  double score;
};

// Tokens that touch are one word.
std::vector<Word> words_of(const nn::HeadSpec& head, std::span<const float> logits, const EncoderInput& input) {
  std::vector<Word> words;
  const auto N = static_cast<size_t>(head.num_labels);
  for (size_t t = 0; t < input.ids.size(); ++t) {
    const auto [begin, end] = input.offsets[t];
    if (begin == end) continue;
    if (!words.empty() && words.back().end == begin) {
      words.back().end = end;
      continue;
    }
    const std::vector<double> values = softmax(logits.subspan(t * N, N));
    const auto best = std::ranges::max_element(values);
    words.push_back({begin, end, label_name(head, best - values.begin()), *best});
  }
  return words;
}

bool has_mark(const std::string& label, char mark) { return label.size() > 2 && label[0] == mark && label[1] == '-'; }

}  // namespace

std::vector<double> label_values(const nn::HeadSpec& head, std::span<const float> logits) {
  if (head.problem == nn::ProblemKind::kOneLabel) return softmax(logits);
  std::vector<double> out(logits.begin(), logits.end());
  if (head.problem == nn::ProblemKind::kManyLabels) {
    for (double& x : out) x = 1 / (1 + std::exp(-x));
  }
  return out;
}

std::string label_name(const nn::HeadSpec& head, int64_t label) {
  const auto index = static_cast<size_t>(label);
  return index < head.labels.size() ? head.labels[index] : "LABEL_" + std::to_string(label);
}

std::vector<TaggedSpan> tagged_spans(const nn::HeadSpec& head, std::span<const float> logits, const EncoderInput& input) {
  std::vector<TaggedSpan> spans;
  std::vector<int64_t> num_words;
  bool is_open = false;  // the last span may go on
  for (const Word& word : words_of(head, logits, input)) {
    const bool is_inside = has_mark(word.label, 'I'), is_marked = is_inside || has_mark(word.label, 'B');
    const std::string label = is_marked ? word.label.substr(2) : word.label;
    if (is_inside && is_open && spans.back().label == label) {
      spans.back().end = word.end;
      spans.back().score += word.score;
      ++num_words.back();
      continue;
    }
    is_open = is_marked;
    if (word.label == "O") continue;
    spans.push_back({label, word.begin, word.end, word.score});
    num_words.push_back(1);
  }
  for (size_t i = 0; i < spans.size(); ++i) spans[i].score /= static_cast<double>(num_words[i]);
  return spans;
}

std::vector<AnswerSpan> best_answers(std::span<const float> logits, const EncoderInput& input, int64_t max_tokens, size_t count) {
  std::vector<float> starts, ends;
  for (int64_t t = input.second_begin; t < input.second_end; ++t) {
    starts.push_back(logits[static_cast<size_t>(2 * t)]);
    ends.push_back(logits[static_cast<size_t>(2 * t + 1)]);
  }
  std::vector<AnswerSpan> answers;
  if (starts.empty()) return answers;
  const std::vector<double> p_start = softmax(starts), p_end = softmax(ends);
  const auto length = static_cast<int64_t>(starts.size());
  for (int64_t first = 0; first < length; ++first) {
    for (int64_t last = first; last < std::min(length, first + max_tokens); ++last) {
      const auto begin = input.offsets[static_cast<size_t>(input.second_begin + first)].first;
      const auto end = input.offsets[static_cast<size_t>(input.second_begin + last)].second;
      answers.push_back({begin, end, p_start[static_cast<size_t>(first)] * p_end[static_cast<size_t>(last)]});
    }
  }
  const auto is_better = [](const AnswerSpan& a, const AnswerSpan& b) { return a.score > b.score; };
  const size_t kept = std::min(count, answers.size());
  std::partial_sort(answers.begin(), answers.begin() + static_cast<std::ptrdiff_t>(kept), answers.end(), is_better);
  answers.resize(kept);
  return answers;
}

}  // namespace atelier::models
