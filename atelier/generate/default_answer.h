// How a decoder with an encoder answers when nobody says: what its files state of beams, rules and lengths.
#pragma once

#include "atelier/generate/request.h"
#include "atelier/models/model.h"

namespace atelier::generate {

TokenRules default_rules(const models::GenerationDefaults& model);
BeamOptions default_beams(const models::GenerationDefaults& model);
// Of an answer; -1 where the files state none.
int64_t default_max_tokens(const models::GenerationDefaults& model);

}  // namespace atelier::generate
