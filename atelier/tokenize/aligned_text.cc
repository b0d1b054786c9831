#include "atelier/tokenize/aligned_text.h"

#include <algorithm>

#include "atelier/text/utf8.h"

namespace atelier::tokenize {
namespace {

Span span(size_t begin, size_t end) { return {static_cast<uint32_t>(begin), static_cast<uint32_t>(end)}; }

}  // namespace

AlignedText AlignedText::from_input(std::string_view input, Alignment alignment) {
  AlignedText out;
  out.alignment_ = alignment;
  if (text::is_valid_utf8(input)) {
    out.borrowed_ = input;
    out.is_identity_ = true;
    return out;
  }
  out.text_.reserve(input.size());
  for (size_t i = 0; i < input.size();) {
    const text::Utf8Step step = text::decode_checked(input, i);
    out.append(step.is_valid ? std::string(input.substr(i, step.length)) : text::to_utf8(text::kReplacement), span(i, i + step.length));
    i += step.length;
  }
  return out;
}

AlignedText AlignedText::start_rewrite(size_t bytes) const {
  AlignedText out;
  out.alignment_ = alignment_;
  out.text_.reserve(bytes);
  if (alignment_ == Alignment::kExact) out.sources_.reserve(bytes);
  return out;
}

Span AlignedText::source(size_t begin, size_t end) const {
  if (is_identity_) return span(origin_ + begin, origin_ + end);
  if (alignment_ == Alignment::kBeginning) return {};
  if (begin < end) {
    // Combining marks may have changed places: the first byte need not come first.
    Span all = sources_[begin];
    for (size_t i = begin + 1; i < end; ++i) all = {std::min(all.begin, sources_[i].begin), std::max(all.end, sources_[i].end)};
    return all;
  }
  const uint32_t at = begin < sources_.size() ? sources_[begin].begin : sources_.empty() ? 0 : sources_.back().end;
  return {at, at};
}

Span AlignedText::source_of_bytes(size_t begin, size_t end) const {
  const std::string_view bytes = text();
  while (begin > 0 && text::is_continuation(bytes[begin])) --begin;
  while (end < bytes.size() && text::is_continuation(bytes[end])) ++end;
  return source(begin, end);
}

bool AlignedText::comes_from_beginning(size_t begin, size_t end) const {
  if (is_identity_ || alignment_ == Alignment::kExact) return source(begin, end).begin == 0;
  if (text_.empty()) return true;
  const size_t last = std::max(end, begin + 1);
  return std::any_of(from_beginning_.begin(), from_beginning_.end(), [&](Span part) { return part.begin < last && part.end > begin; });
}

void AlignedText::append(std::string_view bytes, Span source) {
  const size_t before = text_.size();
  text_ += bytes;
  if (alignment_ == Alignment::kExact) {
    sources_.insert(sources_.end(), bytes.size(), source);
  } else if (source.begin == 0) {
    from_beginning_.push_back(span(before, text_.size()));
  }
}

void AlignedText::append_for(std::string_view bytes, const AlignedText& from, size_t begin, size_t end) {
  if (alignment_ == Alignment::kExact) {
    append(bytes, from.source(begin, end));
    return;
  }
  const size_t before = text_.size();
  text_ += bytes;
  if (from.comes_from_beginning(begin, end)) from_beginning_.push_back(span(before, text_.size()));
}

void AlignedText::append(const AlignedText& from, size_t begin, size_t end) {
  if (begin == end) return;
  const size_t before = text_.size();
  text_.append(from.text(), begin, end - begin);
  if (alignment_ == Alignment::kBeginning) {
    const auto add = [&](size_t first, size_t last) { from_beginning_.push_back(span(before + first - begin, before + last - begin)); };
    if (from.is_identity_) {
      if (from.comes_from_beginning(begin, end)) add(begin, begin + text::utf8_length(from.text()[begin]));
      return;
    }
    for (const Span part : from.from_beginning_) {
      if (part.begin < end && part.end > begin) add(std::max<size_t>(part.begin, begin), std::min<size_t>(part.end, end));
    }
    return;
  }
  if (!from.is_identity_) {
    sources_.insert(sources_.end(), from.sources_.begin() + static_cast<ptrdiff_t>(begin),
                    from.sources_.begin() + static_cast<ptrdiff_t>(end));
    return;
  }
  for (size_t i = begin, length = 0; i < end; i += length) {
    length = text::utf8_length(from.text()[i]);
    sources_.insert(sources_.end(), length, from.source(i, i + length));
  }
}

void AlignedText::append_rewritten(const AlignedText& from, size_t begin, size_t end, const AsciiRewrite& rewrite) {
  const std::string_view bytes = from.text();
  if (alignment_ == Alignment::kExact || from.comes_from_beginning(begin, end)) {
    for (size_t i = begin; i < end; ++i) {
      const auto to = static_cast<char>(rewrite.to[static_cast<unsigned char>(bytes[i])]);
      if (to != static_cast<char>(AsciiRewrite::kRemoved)) append_for({&to, 1}, from, i, i + 1);
    }
    return;
  }
  const size_t before = text_.size();
  text_.resize(before + end - begin);
  char* out = text_.data() + before;
  for (size_t i = begin; i < end; ++i) {
    const unsigned char to = rewrite.to[static_cast<unsigned char>(bytes[i])];
    *out = static_cast<char>(to);
    out += to != AsciiRewrite::kRemoved ? 1 : 0;
  }
  text_.resize(static_cast<size_t>(out - text_.data()));
}

AlignedText AlignedText::slice(size_t begin, size_t end) const {
  if (!is_identity_) {
    AlignedText out = start_rewrite(end - begin);
    out.append(*this, begin, end);
    return out;
  }
  AlignedText out;
  out.alignment_ = alignment_;
  out.borrowed_ = borrowed_.substr(begin, end - begin);
  out.is_identity_ = true;
  out.origin_ = static_cast<uint32_t>(origin_ + begin);
  return out;
}

}  // namespace atelier::tokenize
