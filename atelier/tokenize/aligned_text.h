// Text on its way through normalizers and pre-tokenizers, with the bytes of the user's text that every byte came from.
//
// Invariant: text() is valid UTF-8 and all bytes of one character have the same source. The common case, text that nothing has
// changed, borrows the user's bytes and has no table: byte i came from byte origin + i. Rewritten text keeps a source per byte, or,
// where nobody will ask for offsets, no more than which bytes came from the very beginning of the user's text.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::tokenize {

struct Span {
  uint32_t begin = 0, end = 0;  // bytes, [begin, end)
  bool operator==(const Span&) const = default;
};

enum class Alignment {
  kExact,      // source() is known for every byte
  kBeginning,  // only comes_from_beginning() is; source() is exact for text that nothing has changed
};

// What an ASCII byte becomes: another one, or kRemoved.
struct AsciiRewrite {
  static constexpr unsigned char kRemoved = 0xFF;
  std::array<unsigned char, 128> to;
};

class AlignedText {
 public:
  // The user's text as it is (borrowed: it must outlive this and all slices), or with its invalid UTF-8 repaired. At most kMaxBytes.
  static AlignedText from_input(std::string_view input, Alignment alignment = Alignment::kExact);
  static constexpr size_t kMaxBytes = 0x7fffffff;

  // An empty text to append to, aligned as this one is; room for `bytes`.
  AlignedText start_rewrite(size_t bytes) const;

  std::string_view text() const { return is_identity_ ? borrowed_ : std::string_view(text_); }
  size_t size() const { return text().size(); }
  bool empty() const { return text().empty(); }

  // The bytes of the user's text that [begin, end) came from, first to last; an empty range at the right place when begin == end.
  Span source(size_t begin, size_t end) const;
  // The same for bytes, of which some of a character may be missing: the characters that they belong to.
  Span source_of_bytes(size_t begin, size_t end) const;
  // Whether source(begin, end) begins at byte 0.
  bool comes_from_beginning(size_t begin, size_t end) const;

  // New bytes that stand for [begin, end) of `from`.
  void append_for(std::string_view bytes, const AlignedText& from, size_t begin, size_t end);
  void append(const AlignedText& from, size_t begin, size_t end);
  // [begin, end) of `from`, which is ASCII, byte by byte rewritten.
  void append_rewritten(const AlignedText& from, size_t begin, size_t end, const AsciiRewrite& rewrite);
  AlignedText slice(size_t begin, size_t end) const;

 private:
  void append(std::string_view bytes, Span source);

  std::string_view borrowed_;         // while is_identity_
  std::string text_;                  // otherwise
  std::vector<Span> sources_;         // per byte; kExact, unless is_identity_
  std::vector<Span> from_beginning_;  // bytes of text_ that came from byte 0; kBeginning, unless is_identity_
  bool is_identity_ = false;
  Alignment alignment_ = Alignment::kExact;
  uint32_t origin_ = 0;
};

}  // namespace atelier::tokenize
