#include "atelier/text/character_class.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <map>

namespace atelier::text {
namespace {

uint8_t classes_of_category(int8_t category) {
  const uint32_t mask = U_MASK(category);
  uint8_t classes = 0;
  if (mask & U_GC_L_MASK) classes |= kLetter;
  if (mask & U_GC_N_MASK) classes |= kNumber;
  if (mask & U_GC_Z_MASK) classes |= kWhiteSpace;
  if (mask & U_GC_M_MASK) classes |= kMark;
  if (mask & U_GC_P_MASK) classes |= kPunctuation;
  if (mask & U_GC_S_MASK) classes |= kSymbol;
  if (mask & (U_GC_LU_MASK | U_GC_LT_MASK | U_GC_LM_MASK | U_GC_LO_MASK | U_GC_M_MASK)) classes |= kNotLowerCase;
  if (mask & (U_GC_LL_MASK | U_GC_LM_MASK | U_GC_LO_MASK | U_GC_M_MASK)) classes |= kNotUpperCase;
  return classes;
}

UBool fill_range(const void* context, UChar32 start, UChar32 limit, UCharCategory category) {
  auto& flat = *static_cast<std::vector<uint8_t>*>(const_cast<void*>(context));
  std::fill(flat.begin() + start, flat.begin() + limit, classes_of_category(static_cast<int8_t>(category)));
  return true;
}

}  // namespace

const CharacterClasses& CharacterClasses::instance() {
  static const CharacterClasses kClasses;
  return kClasses;
}

CharacterClasses::CharacterClasses() {
  std::vector<uint8_t> flat(0x110000);
  u_enumCharTypes(fill_range, &flat);
  // White_Space is category Z and six control characters.
  for (const char32_t c : {U'\t', U'\n', U'\v', U'\f', U'\r', U'\x85'}) flat[c] |= kWhiteSpace;

  std::map<Block, uint16_t> known;
  for (size_t i = 0; i < index_.size(); ++i) {
    Block block;
    std::copy_n(flat.begin() + static_cast<ptrdiff_t>(i * block.size()), block.size(), block.begin());
    const auto [entry, is_new] = known.emplace(block, static_cast<uint16_t>(blocks_.size()));
    if (is_new) blocks_.push_back(block);
    index_[i] = entry->second;
  }
  std::copy_n(flat.begin(), ascii_.size(), ascii_.begin());
}

}  // namespace atelier::text
