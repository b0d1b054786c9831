// GBNF, the grammar notation of llama.cpp: rules `name ::= ...`, the first thing that is spelled is the rule `root`.
//
//   root  ::= "yes" | "no" (" " word)*        # alternatives, groups, repetition ? * + {2} {2,} {2,5}
//   word  ::= [a-z]+ | [^a-z\n]               # classes of characters; . is any character
//
// Literals know the escapes \n \r \t \\ \" \[ \] \xHH \uHHHH \UHHHHHHHH. A rule ends with its line, unless a parenthesis or an alternative
// is open.
#pragma once

#include <string_view>
#include <vector>

#include "atelier/generate/grammar/grammar.h"

namespace atelier::generate {

// The rules, `root` first. Errors name the line.
Result<std::vector<GrammarRule>> parse_gbnf(std::string_view text);

}  // namespace atelier::generate
