#include "atelier/tokenize/pretokenizer_patterns.h"

#include "atelier/tokenize/pre_tokenizers/byte_level.h"
#include "atelier/tokenize/pre_tokenizers/split.h"

namespace atelier::tokenize {
namespace {

using enum PreTokenizerStageKind;

constexpr const char* kBloomPattern = R"( ?[^(\s|[.,!?…。，、।۔،])]+)";

constexpr const char* kDeepseekHanPattern = R"([一-龥ࠀ-一가-퟿]+)";
constexpr const char* kDeepseekLettersPattern =
    R"(\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\u1F7Dᾀ-ᾴᾶ-ᾼ\u1FBEῂ-ῄῆ-ῌῐ-\u1FD3ῖ-\u1FDBῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212A-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+)";
constexpr const char* kDeepseekPunctuationPattern = R"(\s?[!-/:-~！-／：-～‘-‟　-。]+)";

const std::vector<NamedPreTokenizer>& table() {
  static const std::vector<NamedPreTokenizer> kTable = {
      {.names = {"gpt-2", "phi-2", "jais", "roberta-bpe", "gigachat", "jina-es", "jina-de", "jina-v1-en", "trillion", "granite-docling"},
       .stages = {{kGpt2ByteLevel}}},
      {.names = {"olmo", "mpt"}, .stages = {{kGpt2ByteLevel}}, .normalizes_nfc = true},
      {.names = {"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"},
       .stages = {{kDigits}, {kGpt2ByteLevel}}},
      {.names = {"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"},
       .stages = {{kSplit, kCl100kPattern}, {kByteLevel}},
       .ignore_merges = true,
       .add_bos = true},
      {.names = {"cl100k_base", "dbrx", "smaug-bpe", "chatglm-bpe", "glm4"}, .stages = {{kSplit, kCl100kPattern}, {kByteLevel}}},
      {.names = {"qwen2", "deepseek-r1-qwen", "hunyuan", "kormo"},
       .stages = {{kSplit, kQwen2Pattern}, {kByteLevel}},
       .normalizes_nfc = true},
      {.names = {"stablelm2"}, .stages = {{kSplit, kQwen2Pattern}, {kByteLevel}}},
      {.names = {"gpt-4o", "o200k_base", "llama4"}, .stages = {{kSplit, kO200kPattern}, {kByteLevel}}},
      {.names = {"tekken"}, .stages = {{kSplit, kTekkenPattern}, {kByteLevel}}, .ignore_merges = true, .add_bos = true},
      {.names = {"bloom", "gpt3-finnish", "poro-chat"}, .stages = {{kSplit, kBloomPattern}, {kByteLevel}}},
      {.names = {"falcon"}, .stages = {{kPunctuationRuns}, {kGpt2ByteLevel}, {kDigitRuns}, {kSplit, "[0-9][0-9][0-9]"}}},
      {.names = {"deepseek-llm"},
       .stages = {{kSplit, kLineEndPattern},
                  {kSplit, kDeepseekLettersPattern},
                  {kSplit, kDeepseekPunctuationPattern},
                  {kSplit, R"(\s+$)"},
                  {kSplit, kDeepseekHanPattern},
                  {kDigits},
                  {kByteLevel}}},
      {.names = {"deepseek-coder"},
       .stages = {{kSplit, kLineEndPattern},
                  {kSplit, kSpacedLettersPattern},
                  {kSplit, kSpacedPunctuationPattern},
                  {kSplit, kDeepseekHanPattern},
                  {kDigits},
                  {kByteLevel}}},
      {.names = {"deepseek-v3"},
       .stages = {{kSplit, kNumberTriplesPattern}, {kSplit, R"([一-龥぀-ゟ゠-ヿ]+)"}, {kSplit, kDeepseekV3Pattern}, {kByteLevel}}},
  };
  return kTable;
}

Result<std::unique_ptr<PreTokenizer>> create_stage(const PreTokenizerStage& stage) {
  switch (stage.kind) {
    case kDigits:
      return digits_pre_tokenizer(true);
    case kDigitRuns:
      return digits_pre_tokenizer(false);
    case kPunctuationRuns:
      return punctuation_pre_tokenizer(SplitBehavior::kContiguous);
    case kGpt2ByteLevel:
      return byte_level_pre_tokenizer({.add_prefix_space = false, .use_regex = true});
    case kByteLevel:
      return byte_level_pre_tokenizer({.add_prefix_space = false, .use_regex = false});
    case kSplit:
      break;
  }
  return pattern_pre_tokenizer(stage.pattern, SplitBehavior::kIsolated, /*invert=*/false, "pre-tokenizer");
}

}  // namespace

const NamedPreTokenizer* find_pre_tokenizer(std::string_view name) {
  for (const NamedPreTokenizer& entry : table()) {
    for (const std::string_view candidate : entry.names) {
      if (candidate == name) return &entry;
    }
  }
  return nullptr;
}

std::vector<std::string> pre_tokenizer_names() {
  std::vector<std::string> names;
  for (const NamedPreTokenizer& entry : table()) names.insert(names.end(), entry.names.begin(), entry.names.end());
  return names;
}

Result<std::unique_ptr<PreTokenizer>> create_pre_tokenizer(const NamedPreTokenizer& named) {
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  for (const PreTokenizerStage& stage : named.stages) {
    ATELIER_TRY(steps.emplace_back(), create_stage(stage));
  }
  return std::unique_ptr<PreTokenizer>(std::make_unique<PreTokenizerSequence>(std::move(steps)));
}

}  // namespace atelier::tokenize
