// Where a long text may be cut in two, so that threads share it, and the ids stay what they are.
//
// A line cut lies after a line end with a printable ASCII character in front of it and an ASCII letter or digit behind it: "x\n|A".
// Every stage of a pipeline says what it makes of one; the whole can be cut where a pre-tokenizer always has a border there and no
// stage before it minds. (Models see one piece at a time.)
#pragma once

#include <string_view>
#include <vector>

namespace atelier::tokenize {

enum class LineCut {
  kUnsafe,         // the stage may see across, or nobody has shown that it does not
  kStable,         // both sides come out as from the whole, with a border at the cut where there may be none otherwise; line ends are kept
  kSpaced,         // a normalizer: as kStable, but the line end becomes a space
  kBorder,         // a pre-tokenizer: as kStable, and the whole has a border there
  kBorderAtSpace,  // … also where the line end is a space by now
};

// The parts of `text` between line cuts, each of at least `part_bytes` but the last.
std::vector<std::string_view> cut_between_lines(std::string_view text, size_t part_bytes);

}  // namespace atelier::tokenize
