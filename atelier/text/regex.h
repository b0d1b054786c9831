// Regular expressions as tokenizer files write them: the syntax of Oniguruma (Ruby), matched on UTF-8 with byte offsets.
//
// Hugging Face tokenizers match with Oniguruma, so its readings hold here: `^` and `$` are line borders, `.` stops at \n only, \w is
// Alphabetic | M | Nd | Pc, `x{1,3}+` repeats the interval (it is not possessive), possessive `*+ ++ ?+`, look-ahead, look-behind of
// fixed length, atomic groups, nested classes with `&&`. Groups do not capture; back-references, \G, \K and \X are refused.
//
// A backtracking matcher that remembers which (state, position) pairs failed once a search becomes long (Davis et al. 2018,
// "selective memoization"): time is linear in the text for patterns without look-around and atomic groups, and `\s+$` on a
// megabyte of spaces is linear too. What remains quadratic in theory is stopped by a step limit and reported.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "atelier/base/function_ref.h"
#include "atelier/base/status.h"

namespace atelier::text {

struct RegexProgram;

class Regex {
 public:
  // `name` stands in error messages. Limits: 64 KiB of pattern, nesting depth 100, 100,000 instructions after expansion.
  static Result<Regex> compile(std::string_view pattern, const std::string& name);

  // Calls `visit(begin, end)` for every leftmost match in order, none overlapping; an empty match directly after a match is left
  // out. `text` is valid UTF-8; the bytes around it are not seen.
  Status find_all(std::string_view text, FunctionRef<void(size_t, size_t)> visit) const;

 private:
  explicit Regex(std::shared_ptr<const RegexProgram> program) : program_(std::move(program)) {}
  std::shared_ptr<const RegexProgram> program_;  // immutable
};

}  // namespace atelier::text
