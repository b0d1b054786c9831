// Text on its way through normalizers and pre-tokenizers, with the bytes of the user's text that every byte came from.
//
// Invariant: text() is valid UTF-8 and all bytes of one character have the same source. The common case, text that nothing has
// changed, is stored without a table: byte i came from byte origin + i.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::tokenize {

struct Span {
  uint32_t begin = 0, end = 0;  // bytes, [begin, end)
  bool operator==(const Span&) const = default;
};

class AlignedText {
 public:
  // An empty text to append to.
  AlignedText() = default;

  // The user's text as it is, or with its invalid UTF-8 repaired. At most kMaxBytes.
  static AlignedText from_input(std::string_view input);
  static constexpr size_t kMaxBytes = 0x7fffffff;

  const std::string& text() const { return text_; }
  size_t size() const { return text_.size(); }
  bool empty() const { return text_.empty(); }

  // The bytes of the user's text that [begin, end) came from, first to last; an empty range at the right place when begin == end.
  Span source(size_t begin, size_t end) const;

  void append(std::string_view bytes, Span source);
  void append(const AlignedText& from, size_t begin, size_t end);
  AlignedText slice(size_t begin, size_t end) const;
  void reserve(size_t bytes);

 private:
  std::string text_;
  std::vector<Span> sources_;  // per byte; unused while is_identity_
  bool is_identity_ = false;
  uint32_t origin_ = 0;
};

}  // namespace atelier::tokenize
