#include "atelier/models/train_batch.h"

#include <numeric>
#include <string>

namespace atelier::models {
namespace {

bool is_label(int32_t label, int64_t num_labels) { return label == kIgnoredLabel || (label >= 0 && label < num_labels); }

Status check_lengths(const TrainBatch& batch, int64_t max_length) {
  const auto rows = static_cast<int64_t>(batch.ids.size());
  int64_t total = 0;
  for (const int64_t length : batch.lengths) {
    if (length <= 0) return Status::invalid("batch: a document of " + std::to_string(length) + " tokens");
    if (length > max_length) {
      return Status::out_of_range("batch: a document of " + std::to_string(length) + " tokens, at most " + std::to_string(max_length));
    }
    total += length;
  }
  if (total != rows || batch.labels.size() != batch.ids.size()) {
    return Status::invalid("batch: " + std::to_string(rows) + " ids, " + std::to_string(batch.labels.size()) + " labels, documents of " +
                           std::to_string(total) + " tokens");
  }
  if (!batch.samples.empty() && batch.samples.size() != batch.lengths.size()) {
    return Status::invalid("batch: " + std::to_string(batch.samples.size()) + " samples, " + std::to_string(batch.lengths.size()) +
                           " documents");
  }
  return {};
}

Status check_segments(const nn::TransformerSpec& spec, const TrainBatch& batch) {
  const int64_t num_segments = std::max<int64_t>(1, spec.num_segments);
  if (!batch.segments.empty() && batch.segments.size() != batch.ids.size()) {
    return Status::invalid("batch: " + std::to_string(batch.segments.size()) + " segments for " + std::to_string(batch.ids.size()) +
                           " ids");
  }
  for (const int32_t segment : batch.segments) {
    if (segment < 0 || segment >= num_segments) {
      return Status::out_of_range("batch: segment " + std::to_string(segment) + ", the model has " + std::to_string(num_segments));
    }
  }
  return {};
}

Status wrong_count(const char* what, size_t given, int64_t wanted) {
  return Status::invalid("batch: " + std::to_string(given) + " " + what + " of documents, must be " + std::to_string(wanted));
}

Status outside(int32_t label, int64_t limit) {
  return Status::out_of_range("batch: a document has label " + std::to_string(label) + ", must be below " + std::to_string(limit));
}

Status check_groups(const TrainBatch& batch) {
  for (const int64_t group : batch.groups) {
    if (group < 1) return Status::invalid("batch: a group of " + std::to_string(group) + " documents");
  }
  const int64_t grouped = std::accumulate(batch.groups.begin(), batch.groups.end(), int64_t{0});
  if (grouped != std::ssize(batch.lengths)) {
    return Status::invalid("batch: groups of " + std::to_string(grouped) + " documents, there are " + std::to_string(batch.lengths.size()));
  }
  return {};
}

// How many labels of documents there are, and below what each of them lies.
Status check_text_labels(const nn::HeadSpec& head, const TrainBatch& batch) {
  const auto B = std::ssize(batch.lengths);
  const bool is_span = head.kind == nn::HeadKind::kSpan, is_choice = head.kind == nn::HeadKind::kChoice;
  if (!is_span && !nn::head_def(head.kind).is_of_text)
    return Status::invalid("batch: documents have labels, the model has no head for texts");
  if (is_choice) ATELIER_RETURN_IF_ERROR(check_groups(batch));
  const int64_t wanted = is_span ? 2 * B : is_choice ? std::ssize(batch.groups) : B;
  if (std::ssize(batch.text_labels) != wanted) return wrong_count("labels", batch.text_labels.size(), wanted);
  for (size_t i = 0; i < batch.text_labels.size(); ++i) {
    const int64_t limit = is_span ? batch.lengths[i / 2] : is_choice ? batch.groups[i] : head.num_labels;
    if (!is_label(batch.text_labels[i], limit)) return outside(batch.text_labels[i], limit);
  }
  return {};
}

Status check_texts(const nn::TransformerSpec& spec, const TrainBatch& batch) {
  if (batch.text_labels.empty() && batch.text_targets.empty()) return {};
  if (spec.head.kind == nn::HeadKind::kNone) return Status::invalid("batch: documents have labels, the model has no head for texts");
  const bool takes_targets = spec.head.kind == nn::HeadKind::kSequence && spec.head.problem != nn::ProblemKind::kOneLabel;
  if (takes_targets != batch.text_labels.empty()) {
    return Status::invalid(std::string("batch: the model's head takes ") + (takes_targets ? "targets" : "labels") + " of documents");
  }
  if (!takes_targets) return check_text_labels(spec.head, batch);
  const int64_t wanted = std::ssize(batch.lengths) * spec.head.num_labels;
  return std::ssize(batch.text_targets) == wanted ? Status() : wrong_count("targets", batch.text_targets.size(), wanted);
}

}  // namespace

Status check_batch(const nn::TransformerSpec& spec, const TrainBatch& batch, int64_t max_length) {
  ATELIER_RETURN_IF_ERROR(check_lengths(batch, max_length));
  const int64_t num_labels = spec.has_language_head ? spec.vocab_size : spec.head.num_labels;
  for (size_t t = 0; t < batch.ids.size(); ++t) {
    const int32_t id = batch.ids[t], label = batch.labels[t];
    if (id < 0 || id >= spec.vocab_size || !is_label(label, num_labels)) {
      return Status::out_of_range("batch: row " + std::to_string(t) + " has id " + std::to_string(id) + " and label " +
                                  std::to_string(label) + ", the vocabulary is " + std::to_string(spec.vocab_size) + ", labels are " +
                                  std::to_string(num_labels));
    }
  }
  ATELIER_RETURN_IF_ERROR(check_segments(spec, batch));
  return check_texts(spec, batch);
}

}  // namespace atelier::models
