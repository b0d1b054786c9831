#include "atelier/models/encoder_input.h"

#include <algorithm>

namespace atelier::models {
namespace {

template <class T>
void append(std::vector<T>& out, const std::vector<T>& more) {
  out.insert(out.end(), more.begin(), more.end());
}

constexpr std::pair<size_t, size_t> kNowhere = {0, 0};

// Tokens [begin, end) of text B behind those of text A.
EncoderInput join_pair(const tokenize::TextFrame& frame, const std::vector<int32_t>& a, const tokenize::Encoding& b, size_t begin,
                       size_t end) {
  EncoderInput out;
  append(out.ids, frame.before);
  append(out.ids, a);
  append(out.ids, frame.between);
  out.second_begin = std::ssize(out.ids);
  const auto from = static_cast<std::ptrdiff_t>(begin), to = static_cast<std::ptrdiff_t>(end);
  out.ids.insert(out.ids.end(), b.ids.begin() + from, b.ids.begin() + to);
  out.second_end = std::ssize(out.ids);
  append(out.ids, frame.after);
  out.offsets.assign(out.ids.size(), kNowhere);
  std::copy(b.offsets.begin() + from, b.offsets.begin() + to, out.offsets.begin() + out.second_begin);
  if (frame.second_segment != 0) {
    out.segments.assign(out.ids.size(), 0);
    std::fill(out.segments.begin() + out.second_begin, out.segments.end(), frame.second_segment);
  }
  return out;
}

Status no_pairs() { return Status::invalid("pair: this model's tokenizer has no form for two texts; give one text"); }

Status no_room(int64_t max_length) {
  return Status::invalid("pair: the first text leaves no room for the second in " + std::to_string(max_length) + " tokens; shorten it");
}

int64_t room_for_pair(const tokenize::TextFrame& frame, int64_t max_length) {
  return max_length - static_cast<int64_t>(frame.before.size() + frame.between.size() + frame.after.size());
}

}  // namespace

EncoderInput frame_text(const tokenize::TextFrame& frame, std::vector<int32_t> ids, int64_t max_length) {
  const auto around = static_cast<int64_t>(frame.before.size() + frame.after.size());
  const auto room = static_cast<size_t>(std::max<int64_t>(0, max_length - around));
  if (ids.size() > room) ids.resize(room);
  EncoderInput out;
  append(out.ids, frame.before);
  append(out.ids, ids);
  append(out.ids, frame.after);
  return out;
}

Result<EncoderInput> encode_text(const tokenize::Tokenizer& tokenizer, std::string_view text, int64_t max_length,
                                 const tokenize::EncodeOptions& options) {
  tokenize::EncodeOptions bare = options;
  bare.add_special_tokens = false;
  ATELIER_TRY(tokenize::Encoding encoding, tokenizer.encode(text, bare));
  const tokenize::TextFrame frame = tokenizer.frame();
  EncoderInput out = frame_text(frame, std::move(encoding.ids), max_length);
  out.offsets.assign(out.ids.size(), kNowhere);
  const size_t kept = out.ids.size() - std::min(out.ids.size(), frame.before.size() + frame.after.size());
  std::copy_n(encoding.offsets.begin(), kept, out.offsets.begin() + static_cast<std::ptrdiff_t>(frame.before.size()));
  return out;
}

Result<EncoderInput> encode_pair(const tokenize::Tokenizer& tokenizer, std::string_view first, std::string_view second, int64_t max_length,
                                 const PairOptions& options) {
  const tokenize::TextFrame frame = tokenizer.frame();
  if (!frame.has_pairs) return no_pairs();
  const tokenize::EncodeOptions bare{.add_special_tokens = false};
  ATELIER_TRY(tokenize::Encoding a, tokenizer.encode(first, bare));
  ATELIER_TRY(tokenize::Encoding b, tokenizer.encode(second, bare));
  const int64_t room = room_for_pair(frame, max_length);
  const auto excess = [&] { return static_cast<int64_t>(a.ids.size() + b.ids.size()) - room; };
  if (options.is_second_cut_only && excess() > 0) {
    if (excess() >= static_cast<int64_t>(b.ids.size())) return no_room(max_length);
    b.ids.resize(b.ids.size() - static_cast<size_t>(excess()));
  }
  while (excess() > 0 && !(a.ids.empty() && b.ids.empty())) {
    std::vector<int32_t>& longer = a.ids.size() > b.ids.size() ? a.ids : b.ids;
    longer.pop_back();
  }
  return join_pair(frame, a.ids, b, 0, b.ids.size());
}

Result<std::vector<EncoderInput>> encode_windows(const tokenize::Tokenizer& tokenizer, std::string_view first, std::string_view second,
                                                 int64_t max_length, int64_t shared) {
  const tokenize::TextFrame frame = tokenizer.frame();
  if (!frame.has_pairs) return no_pairs();
  const tokenize::EncodeOptions bare{.add_special_tokens = false};
  ATELIER_TRY(const tokenize::Encoding a, tokenizer.encode(first, bare));
  ATELIER_TRY(const tokenize::Encoding b, tokenizer.encode(second, bare));
  const int64_t room = room_for_pair(frame, max_length) - std::ssize(a.ids);
  if (room <= shared) return no_room(max_length);
  std::vector<EncoderInput> windows;
  const auto count = std::ssize(b.ids);
  for (int64_t begin = 0;; begin += room - shared) {
    const int64_t end = std::min(count, begin + room);
    windows.push_back(join_pair(frame, a.ids, b, static_cast<size_t>(begin), static_cast<size_t>(end)));
    if (end == count) return windows;
  }
}

nn::RowRun run_of(const EncoderInput& input) {
  nn::RowRun run{nullptr, static_cast<int64_t>(input.ids.size())};
  run.segments = input.segments;
  return run;
}

}  // namespace atelier::models
