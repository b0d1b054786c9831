#include "atelier/tokenize/aligned_text.h"

#include <algorithm>

#include "atelier/text/utf8.h"

namespace atelier::tokenize {

AlignedText AlignedText::from_input(std::string_view input) {
  AlignedText out;
  if (text::is_valid_utf8(input)) {
    out.text_ = input;
    out.is_identity_ = true;
    return out;
  }
  out.reserve(input.size());
  for (size_t i = 0; i < input.size();) {
    const text::Utf8Step step = text::decode_checked(input, i);
    const Span source{static_cast<uint32_t>(i), static_cast<uint32_t>(i + step.length)};
    out.append(step.is_valid ? std::string(input.substr(i, step.length)) : text::to_utf8(text::kReplacement), source);
    i += step.length;
  }
  return out;
}

Span AlignedText::source(size_t begin, size_t end) const {
  if (is_identity_) return {static_cast<uint32_t>(origin_ + begin), static_cast<uint32_t>(origin_ + end)};
  if (begin < end) {
    // Combining marks may have changed places: the first byte need not come first.
    Span span = sources_[begin];
    for (size_t i = begin + 1; i < end; ++i) span = {std::min(span.begin, sources_[i].begin), std::max(span.end, sources_[i].end)};
    return span;
  }
  const uint32_t at = begin < sources_.size() ? sources_[begin].begin : sources_.empty() ? 0 : sources_.back().end;
  return {at, at};
}

void AlignedText::append(std::string_view bytes, Span source) {
  text_ += bytes;
  sources_.insert(sources_.end(), bytes.size(), source);
}

void AlignedText::append(const AlignedText& from, size_t begin, size_t end) {
  text_.append(from.text_, begin, end - begin);
  if (!from.is_identity_) {
    sources_.insert(sources_.end(), from.sources_.begin() + static_cast<ptrdiff_t>(begin),
                    from.sources_.begin() + static_cast<ptrdiff_t>(end));
    return;
  }
  for (size_t i = begin, length = 0; i < end; i += length) {
    length = text::utf8_length(from.text_[i]);
    sources_.insert(sources_.end(), length, from.source(i, i + length));
  }
}

AlignedText AlignedText::slice(size_t begin, size_t end) const {
  AlignedText out;
  if (!is_identity_) {
    out.append(*this, begin, end);
    return out;
  }
  out.text_ = text_.substr(begin, end - begin);
  out.is_identity_ = true;
  out.origin_ = static_cast<uint32_t>(origin_ + begin);
  return out;
}

void AlignedText::reserve(size_t bytes) {
  text_.reserve(bytes);
  sources_.reserve(bytes);
}

}  // namespace atelier::tokenize
