#include "atelier/generate/grammar/utf8_ranges.h"

#include <algorithm>

#include "atelier/text/utf8.h"

namespace atelier::generate {
namespace {

// A range whose ends are coded in equally many bytes. It is cut until the bytes behind the first that differ run through all values.
void append_equally_long(char32_t first, char32_t last, int size, std::vector<ByteSequence>& out) {
  for (int tail = 1; tail < size; ++tail) {
    const char32_t mask = (char32_t{1} << (6 * tail)) - 1;  // of what the last `tail` bytes code
    if ((first & ~mask) == (last & ~mask)) break;           // these bytes are all that differs
    if ((first & mask) != 0) {
      append_equally_long(first, first | mask, size, out);
      append_equally_long((first | mask) + 1, last, size, out);
      return;
    }
    if ((last & mask) != mask) {
      append_equally_long(first, (last & ~mask) - 1, size, out);
      append_equally_long(last & ~mask, last, size, out);
      return;
    }
  }
  const std::string low = text::to_utf8(first), high = text::to_utf8(last);
  ByteSequence sequence{.size = size};
  for (size_t i = 0; i < low.size(); ++i) {
    sequence.first[i] = static_cast<uint8_t>(low[i]);
    sequence.last[i] = static_cast<uint8_t>(high[i]);
  }
  out.push_back(sequence);
}

}  // namespace

void append_utf8_ranges(CodePointRange range, std::vector<ByteSequence>& out) {
  struct Part {
    char32_t first, last;
    int size;
  };
  constexpr Part kParts[] = {{0, 0x7F, 1}, {0x80, 0x7FF, 2}, {0x800, 0xD7FF, 3}, {0xE000, 0xFFFF, 3}, {0x10000, 0x10FFFF, 4}};
  for (const Part& part : kParts) {
    const char32_t first = std::max(range.first, part.first), last = std::min(range.second, part.last);
    if (first <= last) append_equally_long(first, last, part.size, out);
  }
}

}  // namespace atelier::generate
