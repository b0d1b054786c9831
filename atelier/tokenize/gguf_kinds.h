// The parts that the kinds of GGUF vocabularies share. Internal to tokenize/.
#pragma once

#include <memory>
#include <vector>

#include "atelier/tokenize/pipeline.h"

namespace atelier::tokenize {

enum class GgufTokenType { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

// Control and unknown tokens become special added tokens, user-defined ones plain added tokens.
Status append_gguf_added_tokens(const GgufVocabulary& gguf, std::vector<AddedToken>& added);
std::unique_ptr<PostProcessor> gguf_post_processor(const GgufVocabulary& gguf, bool add_bos_default, bool add_eos_default);
Vocabulary gguf_tokens(const GgufVocabulary& gguf);

}  // namespace atelier::tokenize
