// Scanners: the well-known patterns of pre-tokenizers as hand-written code, a table look-up per character (docs/adr/0010).
//
// A scanner cuts text exactly as a Split with behaviour Isolated cuts it at the matches of the pattern; scanner_test.cc compares each
// with the regular expression on every kind of text. A pattern is recognised by its exact spelling; all others go to text/regex.h.
#pragma once

#include <string_view>
#include <vector>

#include "atelier/tokenize/aligned_text.h"
#include "atelier/tokenize/line_cut.h"

namespace atelier::tokenize {

struct Scanner {
  std::string_view pattern;
  // Appends the pieces of `range` of `text` (valid UTF-8): matches, and what lies between two of them. What stands outside of `range`
  // has no influence.
  void (*scan)(std::string_view text, Span range, std::vector<Span>& out);
  bool matches_everything;  // nothing lies between two matches
  LineCut at_line_cut;
};

// Null when no scanner is written for `pattern`.
const Scanner* find_scanner(std::string_view pattern);
const std::vector<Scanner>& scanners();

}  // namespace atelier::tokenize
