// The `decoder` object of a tokenizer.json to decoders.
#include "atelier/base/strings.h"
#include "atelier/text/utf8.h"
#include "atelier/tokenize/decoder.h"
#include "atelier/tokenize/json_pattern.h"
#include "atelier/tokenize/pre_tokenizers/metaspace.h"

namespace atelier::tokenize {
namespace {

using DecoderResult = Result<std::unique_ptr<Decoder>>;

DecoderResult create_metaspace(const Json& json, const std::string& name) {
  ATELIER_TRY(const char32_t replacement, get_character(json, "replacement", name, U'▁'));
  ATELIER_TRY(const auto prepend, parse_prepend_scheme(json, name));
  return metaspace_decoder(text::to_utf8(replacement), prepend != MetaspaceOptions::Prepend::kNever);
}

DecoderResult create_strip(const Json& json, const std::string& name) {
  ATELIER_TRY(const char32_t content, get_character(json, "content", name));
  ATELIER_TRY(const int64_t start, json.get_int("start"));
  ATELIER_TRY(const int64_t stop, json.get_int("stop"));
  if (start < 0 || stop < 0) return Status::corrupt(name + ": Strip has a negative count");
  return strip_decoder(content, static_cast<size_t>(start), static_cast<size_t>(stop));
}

DecoderResult create_replace(const Json& json, const std::string& name) {
  ATELIER_TRY(const JsonPattern pattern, parse_pattern(json, name));
  ATELIER_TRY(std::string content, json.get_string("content"));
  if (pattern.is_regex || pattern.text.empty()) return replace_regex_decoder(pattern.text, std::move(content), name);
  return replace_decoder(pattern.text, std::move(content));
}

DecoderResult create_word_piece(const Json& json) {
  ATELIER_TRY(std::string prefix, json.get_string("prefix", "##"));
  ATELIER_TRY(const bool cleanup, json.get_bool("cleanup", true));
  return word_piece_decoder(std::move(prefix), cleanup);
}

DecoderResult create_ctc(const Json& json) {
  ATELIER_TRY(std::string pad_token, json.get_string("pad_token", "<pad>"));
  ATELIER_TRY(std::string word_delimiter, json.get_string("word_delimiter_token", "|"));
  ATELIER_TRY(const bool cleanup, json.get_bool("cleanup", true));
  return ctc_decoder(std::move(pad_token), std::move(word_delimiter), cleanup);
}

DecoderResult create_decoder(const Json& json, const std::string& type, const std::string& name) {
  if (type == "ByteLevel") return byte_level_decoder();
  if (type == "ByteFallback") return byte_fallback_decoder(InvalidRun::kReplaceRun);
  if (type == "Fuse") return fuse_decoder();
  if (type == "Metaspace") return create_metaspace(json, name);
  if (type == "Strip") return create_strip(json, name);
  if (type == "Replace") return create_replace(json, name);
  if (type == "WordPiece") return create_word_piece(json);
  if (type == "CTC") return create_ctc(json);
  if (type == "BPEDecoder") {
    ATELIER_TRY(std::string suffix, json.get_string("suffix", "</w>"));
    return bpe_decoder(std::move(suffix));
  }
  return Status::unsupported(name + ": the decoder type " + quoted(type) + " is not known");
}

}  // namespace

Status append_decoders(const Json& json, const std::string& name, std::vector<std::unique_ptr<Decoder>>& decoders, int depth) {
  ATELIER_RETURN_IF_ERROR(check_depth(depth, name));
  ATELIER_TRY(const std::string type, json.get_string("type"));
  if (type != "Sequence") {
    ATELIER_TRY(decoders.emplace_back(), create_decoder(json, type, name));
    return {};
  }
  ATELIER_TRY(const Json::Array* children, get_array(json, "decoders", name));
  for (const Json& child : *children) ATELIER_RETURN_IF_ERROR(append_decoders(child, name, decoders, depth + 1));
  return {};
}

}  // namespace atelier::tokenize
