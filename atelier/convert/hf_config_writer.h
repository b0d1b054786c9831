// A spec as config.json of a Hugging Face folder, in the form of transformers 5 (`rope_parameters`, `dtype`).
#pragma once

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/models/arch.h"

namespace atelier::convert {

// The configuration of the class that the architecture has in transformers. It is read back before it is returned: Unsupported with
// the setting that it has no place for.
Result<Json> hf_config(const models::ArchDef& arch, const nn::TransformerSpec& spec, DType stored);

}  // namespace atelier::convert
