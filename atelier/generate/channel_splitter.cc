#include "atelier/generate/channel_splitter.h"

#include <algorithm>
#include <utility>

#include "atelier/base/strings.h"
#include "atelier/generate/begun_sign.h"

namespace atelier::generate {
namespace {

constexpr std::string_view kStart = "<|start|>", kChannel = "<|channel|>", kMessage = "<|message|>",
                           kTo = " to=", kFunctions = "functions.";
constexpr std::string_view kSigns[] = {kStart, kChannel, "<|constrain|>", kMessage, "<|end|>", "<|call|>", "<|return|>"};
constexpr size_t kMaxHead = 1024;

// The word behind `sign` in a head; empty where it is not there.
std::string_view word_behind(std::string_view head, std::string_view sign) {
  const size_t at = head.find(sign);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = head.substr(at + sign.size());
  return rest.substr(0, rest.find_first_of(" <\n"));
}

}  // namespace

std::span<const std::string_view> ChannelSplitter::signs() { return kSigns; }

std::vector<ChannelSplitter::Piece> ChannelSplitter::push(std::string_view text) {
  pending_ += text;
  std::vector<Piece> out;
  while (step(out)) continue;
  return out;
}

std::vector<ChannelSplitter::Piece> ChannelSplitter::finish() {
  std::vector<Piece> out;
  // A head that is cut is none of the text; what only might have become one is.
  const auto is_begun = [&](std::string_view sign) { return pending_.starts_with(sign); };
  if (at_ != At::kHead || !(is_begun(kStart) || is_begun(kChannel) || is_begun(kTo))) {
    if (at_ == At::kHead) content_ = Content::kText;
    say(std::exchange(pending_, {}), out);
  }
  pending_.clear();
  return out;
}

bool ChannelSplitter::step(std::vector<Piece>& out) {
  if (at_ == At::kStart) {
    if (pending_.empty()) return false;
    at_ = At::kHead;
    return true;
  }
  if (at_ == At::kHead) {
    const auto may_begin = [&](std::string_view sign) { return pending_.starts_with(sign) || sign.starts_with(pending_); };
    if (may_begin(kStart) || may_begin(kChannel) || may_begin(kTo)) {
      const size_t end = pending_.find(kMessage);
      if (end != std::string::npos && end <= kMaxHead) {
        begin_content(std::string_view(pending_).substr(0, end), out);
        pending_.erase(0, end + kMessage.size());
        return true;
      }
      if (pending_.size() < kMaxHead + kMessage.size()) return false;
    }
    content_ = Content::kText;  // no head after all
    at_ = At::kContent;
    if (!pending_.starts_with(kStart) && !pending_.starts_with(kChannel)) return true;
    say(pending_.substr(0, 1), out);  // which would be taken for a head again
    pending_.erase(0, 1);
    return true;
  }
  // Content up to the sign of its end, or of the next message's beginning; what may still become one waits.
  size_t end = pending_.size(), held = 0, length = 0;
  bool is_next = false;
  for (const std::string_view sign : kSigns) {
    if (const size_t at = pending_.find(sign); at < end) {
      end = at;
      is_next = sign == kStart || sign == kChannel;
      length = is_next ? 0 : sign.size();
    }
    held = std::max(held, begun_sign(pending_, sign));
  }
  if (end == pending_.size()) {
    say(pending_.substr(0, end - held), out);
    pending_.erase(0, end - held);
    return false;
  }
  say(pending_.substr(0, end), out);
  pending_.erase(0, end + length);
  at_ = At::kStart;
  content_ = Content::kText;
  return true;
}

void ChannelSplitter::begin_content(std::string_view head, std::vector<Piece>& out) {
  at_ = At::kContent;
  content_ = word_behind(head, kChannel) == "analysis" ? Content::kThought : Content::kText;
  const std::string_view recipient = word_behind(head, "to=");
  if (!recipient.starts_with(kFunctions)) return;
  const std::string name(recipient.substr(kFunctions.size()));
  if (std::find(names_.begin(), names_.end(), name) == names_.end()) return;
  content_ = Content::kCall;
  reader_ = ToolCallReader(name);
  is_call_read_ = false;
  out.push_back({"", false, num_calls_++, name});
}

void ChannelSplitter::say(std::string text, std::vector<Piece>& out) {
  if (text.empty()) return;
  if (content_ != Content::kCall) {
    out.push_back({std::move(text), content_ == Content::kThought});
    return;
  }
  for (size_t i = 0; i < text.size() && !is_call_read_; ++i) is_call_read_ = reader_.push(text[i]) != ToolCallReader::Step::kMore;
  if (std::string arguments = reader_.take_arguments(); !arguments.empty())
    out.push_back({"", false, num_calls_ - 1, "", std::move(arguments)});
}

}  // namespace atelier::generate
