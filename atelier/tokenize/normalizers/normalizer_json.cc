// The `normalizer` object of a tokenizer.json to normalizers.
#include "atelier/base/strings.h"
#include "atelier/tokenize/base64.h"
#include "atelier/tokenize/json_pattern.h"
#include "atelier/tokenize/normalizers/characters.h"
#include "atelier/tokenize/normalizers/strings.h"
#include "atelier/tokenize/normalizers/unicode.h"

namespace atelier::tokenize {
namespace {

using NormalizerResult = Result<std::unique_ptr<Normalizer>>;

NormalizerResult create_sequence(const Json& json, const std::string& name, int depth) {
  ATELIER_TRY(const Json::Array* children, get_array(json, "normalizers", name));
  std::vector<std::unique_ptr<Normalizer>> steps;
  for (const Json& child : *children) {
    ATELIER_TRY(steps.emplace_back(), create_normalizer(child, name, depth + 1));
  }
  return std::unique_ptr<Normalizer>(std::make_unique<NormalizerSequence>(std::move(steps)));
}

NormalizerResult create_bert(const Json& json) {
  BertNormalizerOptions options;
  ATELIER_TRY(options.clean_text, json.get_bool("clean_text", true));
  ATELIER_TRY(options.handle_chinese_chars, json.get_bool("handle_chinese_chars", true));
  ATELIER_TRY(options.lowercase, json.get_bool("lowercase", true));
  ATELIER_TRY(options.strip_accents, json.get_bool("strip_accents", options.lowercase));
  return bert_normalizer(options);
}

NormalizerResult create_replace(const Json& json, const std::string& name) {
  ATELIER_TRY(const JsonPattern pattern, parse_pattern(json, name));
  ATELIER_TRY(std::string content, json.get_string("content"));
  if (!pattern.is_regex) return replace_normalizer(pattern.text, std::move(content));
  ATELIER_TRY(text::Regex regex, text::Regex::compile(pattern.text, name));
  return replace_regex_normalizer(std::move(regex), std::move(content));
}

NormalizerResult create_strip(const Json& json) {
  ATELIER_TRY(const bool left, json.get_bool("strip_left"));
  ATELIER_TRY(const bool right, json.get_bool("strip_right"));
  return strip_normalizer(left, right);
}

NormalizerResult create_precompiled(const Json& json, const std::string& name) {
  ATELIER_TRY(const std::string encoded, json.get_string("precompiled_charsmap"));
  const std::optional<std::string> bytes = decode_base64(encoded);
  if (!bytes) return Status::corrupt(name + ": precompiled_charsmap is not base64");
  ATELIER_TRY(CharsMap map, CharsMap::parse(*bytes, name));
  return precompiled_normalizer(std::move(map), CharsMapReading::kHuggingFace);
}

}  // namespace

NormalizerResult create_normalizer(const Json& json, const std::string& name, int depth) {
  ATELIER_RETURN_IF_ERROR(check_depth(depth, name));
  ATELIER_TRY(const std::string type, json.get_string("type"));
  if (type == "Sequence") return create_sequence(json, name, depth);
  if (type == "BertNormalizer") return create_bert(json);
  if (type == "NFC") return unicode_normalizer(text::NormalForm::kNfc);
  if (type == "NFD") return unicode_normalizer(text::NormalForm::kNfd);
  if (type == "NFKC") return unicode_normalizer(text::NormalForm::kNfkc);
  if (type == "NFKD") return unicode_normalizer(text::NormalForm::kNfkd);
  if (type == "Lowercase") return lowercase_normalizer();
  if (type == "StripAccents") return strip_accents_normalizer();
  if (type == "Nmt") return nmt_normalizer();
  if (type == "ByteLevel") return byte_level_normalizer();
  if (type == "Strip") return create_strip(json);
  if (type == "Replace") return create_replace(json, name);
  if (type == "Precompiled") return create_precompiled(json, name);
  if (type == "Prepend") {
    ATELIER_TRY(std::string prefix, json.get_string("prepend"));
    return prepend_normalizer(std::move(prefix));
  }
  return Status::unsupported(name + ": the normalizer type " + quoted(type) + " is not known");
}

}  // namespace atelier::tokenize
