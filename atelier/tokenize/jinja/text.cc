#include "atelier/tokenize/jinja/text.h"

#include <algorithm>

#include "atelier/text/utf8.h"
#include "atelier/tokenize/jinja/unicode.h"

namespace atelier::tokenize::jinja {

namespace {

// The run that holds byte `position`.
std::vector<Run>::const_iterator run_at(const std::vector<Run>& runs, size_t position) {
  return std::upper_bound(runs.begin(), runs.end(), position, [](size_t at, const Run& run) { return at < run.end; });
}

}  // namespace

Text::Text(std::string bytes, Origin origin) : bytes_(std::move(bytes)), length_(text::count_characters(bytes_)) {
  if (!bytes_.empty()) runs_.push_back({bytes_.size(), origin, 0});
}

Text::Text(Text&& other) noexcept
    : bytes_(std::move(other.bytes_)),
      runs_(std::move(other.runs_)),
      length_(other.length_),
      budget_(std::exchange(other.budget_, nullptr)) {}

Text::~Text() {
  if (budget_ != nullptr) budget_->release(bytes_.size() + runs_.size() * sizeof(Run));
}

Origin Text::origin() const {
  for (const Run& run : runs_) {
    if (run.origin != kTemplate) return run.origin;
  }
  return kTemplate;
}

Origin Text::origin_at(size_t byte) const {
  auto run = run_at(runs_, byte);
  return run == runs_.end() ? kTemplate : run->origin;
}

size_t Text::byte_of(size_t index) const {
  if (index >= length_) return bytes_.size();
  if (is_ascii()) return index;
  return skip_code_points(bytes_, 0, index);
}

void TextBuilder::add(std::string_view bytes, Origin origin, uint32_t generation) {
  if (bytes.empty()) return;
  if (bytes.size() > kMaxText - bytes_.size()) throw TemplateError("a text grows over 16 MiB", StatusCode::kOutOfRange);
  budget_->work(bytes.size());
  bytes_.append(bytes);
  if (!runs_.empty() && runs_.back().origin == origin && runs_.back().generation == generation) {
    runs_.back().end = bytes_.size();
  } else {
    budget_->work(sizeof(Run));
    runs_.push_back({bytes_.size(), origin, generation});
  }
}

void TextBuilder::append(std::string_view bytes, Origin origin) { add(bytes, origin, 0); }

void TextBuilder::append(const Text& text, size_t begin, size_t end) {
  for (auto run = run_at(text.runs_, begin); begin < end; ++run) {
    size_t stop = std::min(run->end, end);
    add(text.view().substr(begin, stop - begin), run->origin, run->generation);
    begin = stop;
  }
}

void TextBuilder::append_generated(const Text& text, uint32_t generation) {
  size_t begin = 0;
  for (const Run& run : text.runs_) {
    add(text.view().substr(begin, run.end - begin), run.origin, generation);
    begin = run.end;
  }
}

Text TextBuilder::finish() {
  budget_->allocate(bytes_.size() + runs_.size() * sizeof(Run));
  Text text;
  text.bytes_ = std::exchange(bytes_, {});
  text.runs_ = std::exchange(runs_, {});
  text.length_ = text::count_characters(text.bytes_);
  text.budget_ = budget_;
  return text;
}

}  // namespace atelier::tokenize::jinja
