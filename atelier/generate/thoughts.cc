#include "atelier/generate/thoughts.h"

#include <algorithm>

#include "atelier/base/strings.h"
#include "atelier/generate/begun_sign.h"

namespace atelier::generate {
namespace {

struct Family {
  ThoughtTags tags;
  std::string_view sign;  // what its templates hold
};
// Qwen, DeepSeek, Granite and others; Magistral; Command; gpt-oss.
constexpr Family kFamilies[] = {{{"<think>", "</think>"}, "</think>"},
                                {{"[THINK]", "[/THINK]"}, "[/THINK]"},
                                {{"<|START_THINKING|>", "<|END_THINKING|>"}, "<|END_THINKING|>"},
                                {{"<|channel|>analysis<|message|>", "<|end|>"}, "<|channel|>analysis<|message|>"}};

const Family* family_of(std::string_view chat_template) {
  const auto* found = std::find_if(std::begin(kFamilies), std::end(kFamilies),
                                   [&](const Family& family) { return chat_template.find(family.sign) != std::string_view::npos; });
  return found != std::end(kFamilies) ? found : nullptr;
}

}  // namespace

void ThoughtSplitter::take(size_t length, std::vector<Piece>& out) {
  std::string text = pending_.substr(0, length);
  pending_.erase(0, length);
  if (is_after_tag_) text.erase(0, std::min(text.find_first_not_of(" \n\r\t"), text.size()));
  if (text.empty()) return;
  is_after_tag_ = false;
  out.push_back({std::move(text), is_inside_});
}

std::vector<ThoughtSplitter::Piece> ThoughtSplitter::push(std::string_view text) {
  pending_ += text;
  std::vector<Piece> out;
  while (true) {
    const std::string_view tag = is_inside_ ? tags_.close : tags_.open;
    const size_t at = pending_.find(tag);
    if (at == std::string::npos) {
      take(pending_.size() - begun_sign(pending_, tag), out);
      return out;
    }
    take(at, out);
    pending_.erase(0, tag.size());
    is_inside_ = !is_inside_;
    is_after_tag_ = true;
  }
}

std::vector<ThoughtSplitter::Piece> ThoughtSplitter::finish() {
  std::vector<Piece> out;
  take(pending_.size(), out);
  return out;
}

ThoughtTags thought_tags(std::string_view chat_template) {
  const Family* family = family_of(chat_template);
  return family != nullptr ? family->tags : kFamilies[0].tags;
}

bool ends_inside_thought(std::string_view prompt) {
  const std::string_view end = trim_ascii(prompt);
  return std::any_of(std::begin(kFamilies), std::end(kFamilies), [&](const Family& family) { return end.ends_with(family.tags.open); });
}

ThoughtStart thought_start(std::string_view prompt, std::string_view chat_template) {
  if (ends_inside_thought(prompt)) return ThoughtStart::kInside;
  const Family* family = family_of(chat_template);
  return family != nullptr && !trim_ascii(prompt).ends_with(family->tags.close) ? ThoughtStart::kMayOpen : ThoughtStart::kNone;
}

}  // namespace atelier::generate
