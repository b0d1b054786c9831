// A string that knows where each of its bytes comes from.
//
// Invariants: bytes() is valid UTF-8; runs() partition it (no run is empty, the last one ends at bytes().size(), neighbours differ).
// A Text is immutable; TextBuilder makes one and charges the Budget for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "atelier/tokenize/jinja/budget.h"

namespace atelier::tokenize::jinja {

// Who wrote a byte: the template itself, or an entry of the OriginTable.
using Origin = uint32_t;
constexpr Origin kTemplate = 0;

struct Run {
  size_t end;  // one past the last byte; the run begins where the one before ends
  Origin origin;
  uint32_t generation;  // which {% generation %} block wrote it, from 1; 0 for none
};

class Text {
 public:
  Text() = default;
  Text(std::string bytes, Origin origin);  // not charged: for constants of the template
  Text(Text&& other) noexcept;
  Text& operator=(Text&&) = delete;
  ~Text();

  const std::string& bytes() const { return bytes_; }
  std::string_view view() const { return bytes_; }
  const std::vector<Run>& runs() const { return runs_; }
  size_t size() const { return bytes_.size(); }
  size_t length() const { return length_; }  // code points
  bool is_ascii() const { return length_ == bytes_.size(); }

  // The first origin that is not the template's, or kTemplate: the origin of what is computed from the whole.
  Origin origin() const;
  Origin origin_at(size_t byte) const;

  // Byte position of code point `index`; size() from length() on.
  size_t byte_of(size_t index) const;

 private:
  friend class TextBuilder;
  std::string bytes_;
  std::vector<Run> runs_;
  size_t length_ = 0;
  Budget* budget_ = nullptr;
};

class TextBuilder {
 public:
  explicit TextBuilder(Budget& budget) : budget_(&budget) {}

  void append(std::string_view bytes, Origin origin);
  void append(const Text& text) { append(text, 0, text.size()); }
  void append(const Text& text, size_t begin, size_t end);
  void append(const Text& text, std::pair<size_t, size_t> range) { append(text, range.first, range.second); }
  void append_generated(const Text& text, uint32_t generation);  // marks every byte as written by that block
  size_t size() const { return bytes_.size(); }

  Text finish();  // leaves the builder empty

 private:
  void add(std::string_view bytes, Origin origin, uint32_t generation);
  std::string bytes_;
  std::vector<Run> runs_;
  Budget* budget_;
};

}  // namespace atelier::tokenize::jinja
