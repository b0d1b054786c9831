// NFC, NFD, NFKC, NFKD with alignment.
#pragma once

#include "atelier/text/normalize.h"
#include "atelier/tokenize/normalizer.h"

namespace atelier::tokenize {

std::unique_ptr<Normalizer> unicode_normalizer(text::NormalForm form);

// Normalizes `text` in place.
void apply_normal_form(AlignedText& text, text::NormalForm form);

}  // namespace atelier::tokenize
