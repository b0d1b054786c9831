// The pre-tokenizers that GGUF files and tiktoken name instead of stating: which stages each name stands for.
//
// GGUF's `tokenizer.ggml.pre` is the name; the stages are those of the tokenizer.json that the model was published with.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/tokenize/pre_tokenizer.h"

namespace atelier::tokenize {

inline constexpr const char* kGpt2Pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

enum class PreTokenizerStageKind {
  kSplit,            // `pattern`, matches isolated
  kDigits,           // every numeric character by itself
  kDigitRuns,        // runs of numeric characters
  kPunctuationRuns,  // runs of punctuation
  kGpt2ByteLevel,    // GPT-2's split, then byte-level characters
  kByteLevel,        // byte-level characters only
};
struct PreTokenizerStage {
  PreTokenizerStageKind kind;
  const char* pattern = nullptr;
};

struct NamedPreTokenizer {
  std::vector<std::string_view> names;  // as GGUF spells them
  std::vector<PreTokenizerStage> stages;
  bool normalizes_nfc = false;
  bool ignore_merges = false;  // whole pieces that are tokens are taken without merging
  bool add_bos = false;        // where the file does not say
};

// Null when the name is unknown.
const NamedPreTokenizer* find_pre_tokenizer(std::string_view name);
std::vector<std::string> pre_tokenizer_names();

Result<std::unique_ptr<PreTokenizer>> create_pre_tokenizer(const NamedPreTokenizer& named);

}  // namespace atelier::tokenize
