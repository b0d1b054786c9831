#include "atelier/tokenize/post_processor.h"

#include <algorithm>

#include "atelier/text/unicode.h"
#include "atelier/text/utf8.h"
#include "atelier/tokenize/byte_level.h"

namespace atelier::tokenize {
namespace {

class Surround : public PostProcessor {
 public:
  explicit Surround(TextFrame frame) : frame_(std::move(frame)) {}

  void apply(Encoding& encoding, const PostContext& context) const override {
    if (!context.add_special_tokens) return;
    const std::pair<size_t, size_t> end(context.text.size(), context.text.size());
    const std::vector<TokenId>&before = frame_.before, &after = frame_.after;
    encoding.ids.insert(encoding.ids.begin(), before.begin(), before.end());
    encoding.ids.insert(encoding.ids.end(), after.begin(), after.end());
    if (!context.with_offsets) return;
    encoding.offsets.insert(encoding.offsets.begin(), before.size(), {0, 0});
    encoding.offsets.insert(encoding.offsets.end(), after.size(), end);
  }
  TextFrame frame() const override { return frame_; }

 private:
  TextFrame frame_;
};

bool is_space(std::string_view token, size_t position, size_t& length) {
  const char32_t c = text::decode_utf8(token, position, length);
  return text::is_white_space(c) || token.substr(position, length) == byte_to_character(' ');
}

size_t count_leading_spaces(std::string_view token) {
  size_t count = 0;
  for (size_t i = 0, length = 0; i < token.size() && is_space(token, i, length); i += length) ++count;
  return count;
}

size_t count_trailing_spaces(std::string_view token) {
  size_t count = 0;
  for (size_t i = token.size(), length = 0; i > 0; ++count) {
    i = text::previous_character(token, i);
    if (!is_space(token, i, length)) break;
  }
  return count;
}

class TrimOffsets : public PostProcessor {
 public:
  explicit TrimOffsets(bool add_prefix_space) : add_prefix_space_(add_prefix_space) {}

  void apply(Encoding& encoding, const PostContext& context) const override {
    for (size_t i = 0; i < encoding.offsets.size(); ++i) {
      const std::string token = context.spelling(i);
      auto& [begin, end] = encoding.offsets[i];
      size_t leading = count_leading_spaces(token);
      if ((i == 0 || begin == 0) && add_prefix_space_ && leading == 1) leading = 0;
      begin = std::min(begin + leading, end);
      const size_t trailing = count_trailing_spaces(token);
      if (trailing > 0 && end >= trailing) end = std::max(end - trailing, begin);
    }
  }

 private:
  bool add_prefix_space_;
};

class Sequence : public PostProcessor {
 public:
  explicit Sequence(std::vector<std::unique_ptr<PostProcessor>> steps) : steps_(std::move(steps)) {}
  void apply(Encoding& encoding, const PostContext& context) const override {
    for (const auto& step : steps_) step->apply(encoding, context);
  }
  // The outermost that adds something; tokenizers have one at most.
  TextFrame frame() const override {
    for (const auto& step : steps_) {
      if (TextFrame frame = step->frame(); !frame.before.empty() || !frame.after.empty()) return frame;
    }
    return {};
  }

 private:
  std::vector<std::unique_ptr<PostProcessor>> steps_;
};

}  // namespace

std::unique_ptr<PostProcessor> surround_post_processor(TextFrame frame) { return std::make_unique<Surround>(std::move(frame)); }

std::unique_ptr<PostProcessor> bert_post_processor(TokenId cls, TokenId sep) {
  return surround_post_processor({{cls}, {sep}, {sep}, /*has_pairs=*/true, /*second_segment=*/1});
}

std::unique_ptr<PostProcessor> trim_offsets_post_processor(bool add_prefix_space) {
  return std::make_unique<TrimOffsets>(add_prefix_space);
}

std::unique_ptr<PostProcessor> post_processor_sequence(std::vector<std::unique_ptr<PostProcessor>> steps) {
  return std::make_unique<Sequence>(std::move(steps));
}

}  // namespace atelier::tokenize
