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

// GPT-2, and as its authors spelled it later.
inline constexpr const char* kGpt2Pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
inline constexpr const char* kGpt2PatternGrouped = R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// cl100k_base of tiktoken, which Llama 3 took over: contractions in either case, up to three digits, newlines after punctuation.
inline constexpr const char* kCl100kPattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// Qwen 2: as cl100k, but digits one at a time.
inline constexpr const char* kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// o200k_base: words split where lower case turns to upper, contractions belong to their word.
inline constexpr const char* kO200kPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// Mistral's Tekken: o200k without contractions, digits one at a time.
inline constexpr const char* kTekkenPattern = R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
                                              R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
                                              R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// The stages of DeepSeek's tokenizers.
inline constexpr const char* kDeepseekV3Pattern =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
inline constexpr const char* kNumberTriplesPattern = R"(\p{N}{1,3})";
inline constexpr const char* kSpacedLettersPattern = R"(\s?\p{L}+)";
inline constexpr const char* kSpacedPunctuationPattern = R"(\s?\p{P}+)";
inline constexpr const char* kLineEndPattern = "[\r\n]";

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
