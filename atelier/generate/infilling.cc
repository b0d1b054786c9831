#include "atelier/generate/infilling.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace atelier::generate {
namespace {

using Signs = std::array<const char*, 3>;  // in front of the text before, the text behind, and what is between

constexpr Signs kFamilies[] = {{"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"},
                               {"<fim_prefix>", "<fim_suffix>", "<fim_middle>"},
                               {"<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"},
                               {"▁<PRE>", "▁<SUF>", "▁<MID>"}};

}  // namespace

Result<std::vector<int32_t>> infilling_prompt(const tokenize::Tokenizer& tokenizer, const std::string& before, const std::string& behind) {
  const auto* signs = std::find_if(std::begin(kFamilies), std::end(kFamilies), [&](const Signs& family) {
    return std::all_of(family.begin(), family.end(), [&](const char* sign) { return tokenizer.token_to_id(sign).has_value(); });
  });
  if (signs == std::end(kFamilies)) return Status::unsupported("suffix: this model was not trained to fill in between; leave it out");
  std::string text;
  std::vector<std::pair<size_t, size_t>> trusted;
  for (size_t i = 0; i < signs->size(); ++i) {
    const std::string sign = (*signs)[i];
    trusted.emplace_back(text.size(), text.size() + sign.size());
    text += sign;
    if (i == 0) text += before;
    if (i == 1) text += behind;
  }
  return tokenizer.encode_ids(text, {.trusted = &trusted, .with_offsets = false});
}

}  // namespace atelier::generate
