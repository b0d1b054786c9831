// A constraint that begins later: behind a thought, or where the answer begins a call of a function.
//
// Until then the model says what it likes. Which bytes are before and which behind a sign is told by the tokens' texts, so that it does not
// matter how a sign falls into tokens; a token that would carry more behind the sign than the grammar takes may not come.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "atelier/generate/grammar/constraint.h"
#include "atelier/generate/thoughts.h"

namespace atelier::generate {

struct MaskStages {
  ThoughtStart thought = ThoughtStart::kNone;
  ThoughtTags tags;
  std::string sign;  // the constraint holds behind the first one of it; empty: behind the thought
};

// For one request. The answer may not end within its thought, nor, without a sign, before the grammar's text; with one it may do without.
TokenMask staged_mask(std::shared_ptr<Constraint> constraint, std::vector<int32_t> stop_ids, const MaskStages& stages);

}  // namespace atelier::generate
