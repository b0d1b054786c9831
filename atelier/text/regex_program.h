// Syntax tree to instructions for the matcher. Internal to text/: see regex.h.
//
// Control falls through to the next instruction unless said otherwise. Sub-programs (look-around, atomic groups) end in kAccept and
// are run on their own, from the instruction after the one that names them.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/text/regex_syntax.h"

namespace atelier::text {

enum class RegexOp : uint8_t {
  kSet,        // consume one code point of `set`
  kSetLoop,    // consume min … max code points of `set`, as many as possible; gives back unless possessive
  kSplit,      // try `target`, then `other`
  kJump,       // to `target`
  kAssert,     // `assertion`
  kAhead,      // the sub-program after this one must (not) match; continue at `target`
  kBehind,     // as kAhead, started `length` code points back; it must end here
  kAtomic,     // run the sub-program once, continue at `target` from where it ended
  kLoopBegin,  // remember the position in slot `slot`
  kLoopCheck,  // leave the loop for `target` if nothing was consumed since kLoopBegin of `slot`
  kAccept,
};

struct RegexInstruction {
  RegexOp op = RegexOp::kAccept;
  bool is_possessive = false, is_negative = false;
  RegexAssertion assertion = RegexAssertion::kTextBegin;
  uint32_t target = 0, other = 0;
  uint32_t min = 0, max = 0;
  uint32_t length = 0, slot = 0;
  std::shared_ptr<const CharSet> set;
};

struct RegexProgram {
  struct Alternative {
    uint32_t start;
    std::bitset<256> first_bytes;  // a match cannot start with another byte
    bool may_be_empty;
  };
  std::vector<RegexInstruction> code;
  std::vector<Alternative> alternatives;  // of the whole pattern, in order of preference
  std::shared_ptr<const CharSet> word;
  uint32_t num_slots = 0;
};

Result<std::shared_ptr<const RegexProgram>> compile_regex(const RegexTree& tree);

}  // namespace atelier::text
