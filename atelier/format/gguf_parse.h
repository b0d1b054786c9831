// The bytes of one GGUF file into checked views: metadata values and tensor entries. Which parts make a model is gguf.cc's matter.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/format/checkpoint.h"
#include "atelier/format/gguf_value.h"

namespace atelier::format {

struct GgufPart {
  uint32_t version = 0;
  int64_t alignment = 32;
  std::vector<std::pair<std::string, GgufValue>> metadata;  // views of the parsed bytes; keys are unique
  std::vector<TensorEntry> tensors;                         // without owner; inside the bytes, disjoint
};

// Errors are one line without the file's name, which the caller adds.
Result<GgufPart> parse_gguf(std::span<const uint8_t> bytes);

}  // namespace atelier::format
