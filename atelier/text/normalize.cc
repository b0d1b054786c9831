#include "atelier/text/normalize.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

#include <algorithm>

#include "atelier/base/error.h"
#include "atelier/text/utf8.h"

namespace atelier::text {
namespace {

const icu::Normalizer2& instance(NormalForm form) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = nullptr;
  switch (form) {
    case NormalForm::kNfc:
      normalizer = icu::Normalizer2::getNFCInstance(error);
      break;
    case NormalForm::kNfd:
      normalizer = icu::Normalizer2::getNFDInstance(error);
      break;
    case NormalForm::kNfkc:
      normalizer = icu::Normalizer2::getNFKCInstance(error);
      break;
    case NormalForm::kNfkd:
      normalizer = icu::Normalizer2::getNFKDInstance(error);
      break;
  }
  ATELIER_CHECK(U_SUCCESS(error) && normalizer != nullptr);
  return *normalizer;
}

uint8_t combining_class(char32_t c) { return u_getCombiningClass(static_cast<UChar32>(c)); }

std::vector<SourcedCharacter> decompose(std::string_view text, const icu::Normalizer2& normalizer) {
  std::vector<SourcedCharacter> out;
  out.reserve(text.size());
  icu::UnicodeString parts;
  for (size_t i = 0, length = 0; i < text.size(); i += length) {
    const char32_t c = decode_utf8(text, i, length);
    const auto begin = static_cast<uint32_t>(i), end = static_cast<uint32_t>(i + length);
    if (c < 0x80 || !normalizer.getDecomposition(static_cast<UChar32>(c), parts)) {
      out.push_back({c, begin, end});
      continue;
    }
    for (int32_t j = 0; j < parts.length(); j = parts.moveIndex32(j, 1)) {
      out.push_back({static_cast<char32_t>(parts.char32At(j)), begin, end});
    }
  }
  return out;
}

// Runs of characters with a combining class are sorted by it; equal classes keep their order.
void reorder(std::vector<SourcedCharacter>& characters) {
  const auto by_class = [](const SourcedCharacter& a, const SourcedCharacter& b) {
    return combining_class(a.value) < combining_class(b.value);
  };
  for (size_t i = 0; i < characters.size();) {
    size_t end = i;
    while (end < characters.size() && combining_class(characters[end].value) != 0) ++end;
    if (end - i > 1) {
      std::stable_sort(characters.begin() + static_cast<ptrdiff_t>(i), characters.begin() + static_cast<ptrdiff_t>(end), by_class);
    }
    i = std::max(end, i + 1);
  }
}

// A character joins the last starter unless one of the same or a higher class, or another starter, stands between them.
void compose(std::vector<SourcedCharacter>& characters, const icu::Normalizer2& normalizer) {
  constexpr size_t kNone = static_cast<size_t>(-1);
  size_t kept = 0, starter = kNone;
  int last_class = 0;
  for (const SourcedCharacter c : characters) {
    const int character_class = combining_class(c.value);
    const bool is_adjacent = starter != kNone && starter + 1 == kept;
    if (starter != kNone && (is_adjacent || (last_class != 0 && last_class < character_class))) {
      const UChar32 pair = normalizer.composePair(static_cast<UChar32>(characters[starter].value), static_cast<UChar32>(c.value));
      if (pair >= 0) {
        SourcedCharacter& joined = characters[starter];
        joined = {static_cast<char32_t>(pair), std::min(joined.begin, c.begin), std::max(joined.end, c.end)};
        continue;
      }
    }
    if (character_class == 0) starter = kept;
    last_class = character_class;
    characters[kept++] = c;
  }
  characters.resize(kept);
}

}  // namespace

bool is_normalized(std::string_view valid_text, NormalForm form) {
  if (ascii_end(valid_text, 0) == valid_text.size()) return true;
  UErrorCode error = U_ZERO_ERROR;
  const icu::StringPiece piece(valid_text.data(), static_cast<int32_t>(valid_text.size()));
  return instance(form).isNormalizedUTF8(piece, error) && U_SUCCESS(error);
}

std::vector<SourcedCharacter> normalize(std::string_view valid_text, NormalForm form) {
  // Compositions of the compatibility forms are the canonical ones; only the decompositions differ.
  const bool is_compatible = form == NormalForm::kNfkc || form == NormalForm::kNfkd;
  std::vector<SourcedCharacter> characters = decompose(valid_text, instance(is_compatible ? NormalForm::kNfkc : NormalForm::kNfc));
  reorder(characters);
  if (form == NormalForm::kNfc || form == NormalForm::kNfkc) compose(characters, instance(NormalForm::kNfc));
  return characters;
}

}  // namespace atelier::text
