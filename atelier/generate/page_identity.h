// The name of everything that the bits of a page of keys and values depend on besides its tokens.
#pragma once

#include <string>

#include "atelier/models/model.h"

namespace atelier::generate {

// One line: version, instruction set, model (a hash of all its weights), precision, KV type, and the planned context where the rotary
// frequencies depend on it. Reads the model's files once.
std::string page_identity(const models::Model& model);

}  // namespace atelier::generate
