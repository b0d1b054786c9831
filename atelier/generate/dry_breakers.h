// The tokens that a repetition does not cross (samplers/dry.cc): those whose text holds one of the breakers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "atelier/tokenize/tokenizer.h"

namespace atelier::generate {

std::vector<std::string> usual_dry_breakers();  // llama.cpp's: line break, colon, quote, asterisk

// [V]
std::shared_ptr<const std::vector<bool>> dry_breakers(const tokenize::Tokenizer& tokenizer, const std::vector<std::string>& texts);

}  // namespace atelier::generate
