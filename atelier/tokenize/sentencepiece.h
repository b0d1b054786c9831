// SentencePiece vocabularies to pipelines: what .model files and GGUF's "llama" and "t5" share. Internal to tokenize/.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "atelier/tokenize/pipeline.h"
#include "atelier/tokenize/sentencepiece_model.h"

namespace atelier::tokenize {

// The parts of a pipeline for `model` (moved from), but for added tokens and post-processor. Spaces become "▁", one goes in front.
Result<PipelineParts> sentencepiece_parts(SentencePieceModel model, const std::string& name);

}  // namespace atelier::tokenize
