// Metaspace: spaces written as "▁", one put in front, cut before each.
#pragma once

#include "atelier/tokenize/pre_tokenizer.h"

namespace atelier::tokenize {

struct MetaspaceOptions {
  enum class Prepend { kAlways, kFirst, kNever };  // kFirst: only to the piece at the beginning of the text
  std::string replacement = "▁";
  Prepend prepend = Prepend::kAlways;
  bool split = true;
};

// "prepend_scheme", or the older "add_prefix_space", of a Metaspace object.
Result<MetaspaceOptions::Prepend> parse_prepend_scheme(const Json& json, const std::string& name);

std::unique_ptr<PreTokenizer> metaspace_pre_tokenizer(MetaspaceOptions options);

}  // namespace atelier::tokenize
