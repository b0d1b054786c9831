#include "atelier/generate/dry_breakers.h"

#include <algorithm>

namespace atelier::generate {

std::vector<std::string> usual_dry_breakers() { return {"\n", ":", "\"", "*"}; }

std::shared_ptr<const std::vector<bool>> dry_breakers(const tokenize::Tokenizer& tokenizer, const std::vector<std::string>& texts) {
  std::vector<bool> breaks(static_cast<size_t>(tokenizer.vocab_size()));
  for (size_t id = 0; id < breaks.size(); ++id) {
    const auto token = static_cast<int32_t>(id);
    const auto text = tokenizer.decode(std::span(&token, 1), false);
    breaks[id] = text.ok() && std::any_of(texts.begin(), texts.end(),
                                          [&](const std::string& breaker) { return text->find(breaker) != std::string::npos; });
  }
  return std::make_shared<const std::vector<bool>>(std::move(breaks));
}

}  // namespace atelier::generate
