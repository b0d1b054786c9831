// What is well formed but not runnable here: one line that says why and names the way out.
#pragma once

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/format/gguf.h"

namespace atelier::format {

// `config` is a Hugging Face config.json. Refuses weights packed by GPTQ, AWQ, bitsandbytes and the like ("quantization_config") and
// mixtures of experts ("num_experts", "num_local_experts", "n_routed_experts" above 1), also inside "text_config".
Status refuse_unsupported_config(const Json& config);

// The same for GGUF metadata: "<architecture>.expert_count" above 0, adapters, importance matrices and other files without a model.
Status refuse_unsupported_gguf(const Gguf& file);

}  // namespace atelier::format
