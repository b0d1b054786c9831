// The `pre_tokenizer` object of a tokenizer.json to pre-tokenizers.
#include "atelier/base/strings.h"
#include "atelier/text/utf8.h"
#include "atelier/tokenize/json_pattern.h"
#include "atelier/tokenize/pre_tokenizers/byte_level.h"
#include "atelier/tokenize/pre_tokenizers/metaspace.h"
#include "atelier/tokenize/pre_tokenizers/other.h"
#include "atelier/tokenize/pre_tokenizers/split.h"

namespace atelier::tokenize {
namespace {

using PreTokenizerResult = Result<std::unique_ptr<PreTokenizer>>;

PreTokenizerResult create_sequence(const Json& json, const std::string& name, int depth) {
  ATELIER_TRY(const Json::Array* children, get_array(json, "pretokenizers", name));
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  for (const Json& child : *children) {
    ATELIER_TRY(steps.emplace_back(), create_pre_tokenizer(child, name, depth + 1));
  }
  return std::unique_ptr<PreTokenizer>(std::make_unique<PreTokenizerSequence>(std::move(steps)));
}

PreTokenizerResult create_byte_level(const Json& json) {
  ByteLevelOptions options;
  ATELIER_TRY(options.add_prefix_space, json.get_bool("add_prefix_space"));
  ATELIER_TRY(options.use_regex, json.get_bool("use_regex", true));
  return byte_level_pre_tokenizer(options);
}

PreTokenizerResult create_metaspace(const Json& json, const std::string& name) {
  MetaspaceOptions options;
  ATELIER_TRY(const char32_t replacement, get_character(json, "replacement", name, U'▁'));
  options.replacement = text::to_utf8(replacement);
  ATELIER_TRY(options.prepend, parse_prepend_scheme(json, name));
  ATELIER_TRY(options.split, json.get_bool("split", true));
  return metaspace_pre_tokenizer(std::move(options));
}

PreTokenizerResult create_split(const Json& json, const std::string& name) {
  ATELIER_TRY(const JsonPattern pattern, parse_pattern(json, name));
  ATELIER_TRY(const std::string behavior_name, json.get_string("behavior"));
  ATELIER_TRY(const SplitBehavior behavior, parse_split_behavior(behavior_name));
  ATELIER_TRY(const bool invert, json.get_bool("invert", false));
  return pattern_pre_tokenizer(pattern.is_regex ? pattern.text : escape_regex(pattern.text), behavior, invert, name);
}

// Words and runs of anything else that is no white space; \w with the join controls that Rust's regex crate counts in.
PreTokenizerResult create_whitespace() {
  return pattern_pre_tokenizer(R"([\w\u200c\u200d]+|[^\w\s\u200c\u200d]+)", SplitBehavior::kRemoved, /*invert=*/true, "Whitespace");
}

PreTokenizerResult create_punctuation(const Json& json) {
  ATELIER_TRY(const std::string behavior_name, json.get_string("behavior", "Isolated"));
  ATELIER_TRY(const SplitBehavior behavior, parse_split_behavior(behavior_name));
  return punctuation_pre_tokenizer(behavior);
}

PreTokenizerResult create_fixed_length(const Json& json, const std::string& name) {
  ATELIER_TRY(const int64_t length, json.get_int("length", 5));
  if (length < 1) return Status::corrupt(name + ": FixedLength has length " + std::to_string(length));
  return fixed_length_pre_tokenizer(static_cast<size_t>(length));
}

}  // namespace

Result<MetaspaceOptions::Prepend> parse_prepend_scheme(const Json& json, const std::string& name) {
  using Prepend = MetaspaceOptions::Prepend;
  ATELIER_TRY(const std::string scheme, json.get_string("prepend_scheme", ""));
  ATELIER_TRY(const bool add_prefix_space, json.get_bool("add_prefix_space", true));
  if (!add_prefix_space && !scheme.empty() && scheme != "never") {
    return Status::corrupt(name + ": Metaspace says add_prefix_space false and prepend_scheme " + quoted(scheme));
  }
  if (!add_prefix_space || scheme == "never") return Prepend::kNever;
  if (scheme.empty() || scheme == "always") return Prepend::kAlways;
  if (scheme == "first") return Prepend::kFirst;
  return Status::corrupt(name + ": prepend_scheme " + quoted(scheme) + " is none of always, first, never");
}

PreTokenizerResult create_pre_tokenizer(const Json& json, const std::string& name, int depth) {
  ATELIER_RETURN_IF_ERROR(check_depth(depth, name));
  ATELIER_TRY(const std::string type, json.get_string("type"));
  if (type == "Sequence") return create_sequence(json, name, depth);
  if (type == "ByteLevel") return create_byte_level(json);
  if (type == "Metaspace") return create_metaspace(json, name);
  if (type == "Split") return create_split(json, name);
  if (type == "Whitespace") return create_whitespace();
  if (type == "WhitespaceSplit") return character_pre_tokenizer(CharacterKind(text::kWhiteSpace), SplitBehavior::kRemoved);
  if (type == "BertPreTokenizer") return bert_pre_tokenizer();
  if (type == "Punctuation") return create_punctuation(json);
  if (type == "UnicodeScripts") return scripts_pre_tokenizer();
  if (type == "FixedLength") return create_fixed_length(json, name);
  if (type == "Digits") {
    ATELIER_TRY(const bool individual_digits, json.get_bool("individual_digits", false));
    return digits_pre_tokenizer(individual_digits);
  }
  if (type == "CharDelimiterSplit") {
    ATELIER_TRY(const char32_t delimiter, get_character(json, "delimiter", name));
    return delimiter_pre_tokenizer(delimiter);
  }
  return Status::unsupported(name + ": the pre-tokenizer type " + quoted(type) + " is not known");
}

}  // namespace atelier::tokenize
