#include "atelier/generate/thoughts.h"

#include <algorithm>

#include "atelier/base/strings.h"

namespace atelier::generate {
namespace {

// Qwen, DeepSeek, Granite and others; Magistral; Command.
constexpr ThoughtTags kFamilies[] = {{"<think>", "</think>"}, {"[THINK]", "[/THINK]"}, {"<|START_THINKING|>", "<|END_THINKING|>"}};

// Length of the longest end of `text` that is a proper beginning of `tag`.
size_t partial_tag(std::string_view text, std::string_view tag) {
  for (size_t length = std::min(text.size(), tag.size() - 1); length > 0; --length) {
    if (text.ends_with(tag.substr(0, length))) return length;
  }
  return 0;
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
      take(pending_.size() - partial_tag(pending_, tag), out);
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
  for (const ThoughtTags& tags : kFamilies) {
    if (chat_template.find(tags.close) != std::string_view::npos) return tags;
  }
  return kFamilies[0];
}

bool ends_inside_thought(std::string_view prompt) {
  const std::string_view end = trim_ascii(prompt);
  return std::any_of(std::begin(kFamilies), std::end(kFamilies), [&](const ThoughtTags& tags) { return end.ends_with(tags.open); });
}

ThoughtStart thought_start(std::string_view prompt, std::string_view chat_template) {
  const ThoughtTags tags = thought_tags(chat_template);
  const std::string_view end = trim_ascii(prompt);
  if (ends_inside_thought(prompt)) return ThoughtStart::kInside;
  const bool knows_thoughts = chat_template.find(tags.close) != std::string_view::npos;
  return knows_thoughts && !end.ends_with(tags.close) ? ThoughtStart::kMayOpen : ThoughtStart::kNone;
}

}  // namespace atelier::generate
