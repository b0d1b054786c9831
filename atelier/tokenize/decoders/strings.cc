// Fuse, Strip and Replace.
#include <algorithm>

#include "atelier/text/regex.h"
#include "atelier/text/utf8.h"
#include "atelier/tokenize/decoder.h"

namespace atelier::tokenize {
namespace {

// Makes a Decoder of a function that creates its steps.
template <typename Start>
class DecoderOf : public Decoder {
 public:
  explicit DecoderOf(Start start) : start_(std::move(start)) {}
  std::unique_ptr<DecodeStep> start() const override { return start_(); }

 private:
  Start start_;
};
template <typename Start>
std::unique_ptr<Decoder> decoder_of(Start start) {
  return std::make_unique<DecoderOf<Start>>(std::move(start));
}

class FuseStep : public DecodeStep {
 public:
  Status push(DecodePart part, DecodeSink out) override {
    out({std::move(part.text), continues_});
    continues_ = true;
    return {};
  }

 private:
  bool continues_ = false;
};

// Takes up to `start` leading and `stop` trailing `content` off every string. Of a string in parts, what may turn out to be its end
// waits: at most `stop` characters.
class StripStep : public DecodeStep {
 public:
  StripStep(char32_t content, size_t start, size_t stop) : content_(text::to_utf8(content)), start_(start), stop_(stop) {}

  Status push(DecodePart part, DecodeSink out) override {
    if (!part.continues) {
      // The end of the string before is known now; the new one starts counting again.
      left_to_strip_ = start_;
      waiting_.clear();
    }
    std::string_view text = part.text;
    while (left_to_strip_ > 0 && text.starts_with(content_)) {
      text.remove_prefix(content_.size());
      --left_to_strip_;
    }
    if (!text.empty()) left_to_strip_ = 0;
    waiting_ += text;
    size_t keep = waiting_.size();
    for (size_t i = 0; i < stop_ && std::string_view(waiting_).substr(0, keep).ends_with(content_); ++i) keep -= content_.size();
    out({waiting_.substr(0, keep), part.continues});
    waiting_.erase(0, keep);
    return {};
  }

 private:
  std::string content_;
  size_t start_, stop_;
  size_t left_to_strip_ = 0;
  std::string waiting_;
};

// Replaces a string. Of a string in parts, what may be the beginning of a match waits.
class ReplaceStep : public DecodeStep {
 public:
  ReplaceStep(std::string from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}

  Status push(DecodePart part, DecodeSink out) override {
    if (!part.continues) ATELIER_RETURN_IF_ERROR(finish(out));
    continues_ = part.continues;
    waiting_ += part.text;
    std::string ready;
    size_t done = 0;
    for (size_t at; (at = waiting_.find(from_, done)) != std::string::npos; done = at + from_.size()) {
      ready.append(waiting_, done, at - done).append(to_);
    }
    size_t open = std::min(from_.size() - 1, waiting_.size() - done);  // bytes at the end that may begin a match
    while (open > 0 && !from_.starts_with(std::string_view(waiting_).substr(waiting_.size() - open))) --open;
    ready.append(waiting_, done, waiting_.size() - open - done);
    waiting_.erase(0, waiting_.size() - open);
    out({std::move(ready), continues_});
    return {};
  }

  Status finish(DecodeSink out) override {
    if (!waiting_.empty()) out({std::move(waiting_), true});
    waiting_.clear();
    return {};
  }

 private:
  std::string from_, to_;
  std::string waiting_;
  bool continues_ = false;
};

// Where a match of a regular expression ends depends on all of the string: the parts of one are put together first.
class ReplaceRegexStep : public DecodeStep {
 public:
  ReplaceRegexStep(text::Regex from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}

  Status push(DecodePart part, DecodeSink out) override {
    if (!part.continues) ATELIER_RETURN_IF_ERROR(finish(out));
    whole_ += part.text;
    has_string_ = true;
    return {};
  }

  Status finish(DecodeSink out) override {
    if (!has_string_) return {};
    has_string_ = false;
    std::string replaced;
    size_t done = 0;
    ATELIER_RETURN_IF_ERROR(from_.find_all(whole_, [&](size_t begin, size_t end) {
      replaced.append(whole_, done, begin - done).append(to_);
      done = end;
    }));
    replaced.append(whole_, done);
    whole_.clear();
    out({std::move(replaced), false});
    return {};
  }

 private:
  text::Regex from_;
  std::string to_, whole_;
  bool has_string_ = false;
};

}  // namespace

std::unique_ptr<Decoder> fuse_decoder() {
  return decoder_of([] { return std::make_unique<FuseStep>(); });
}

std::unique_ptr<Decoder> strip_decoder(char32_t content, size_t start, size_t stop) {
  return decoder_of([=] { return std::make_unique<StripStep>(content, start, stop); });
}

std::unique_ptr<Decoder> replace_decoder(std::string from, std::string to) {
  return decoder_of([from = std::move(from), to = std::move(to)] { return std::make_unique<ReplaceStep>(from, to); });
}

Result<std::unique_ptr<Decoder>> replace_regex_decoder(const std::string& pattern, std::string to, const std::string& name) {
  ATELIER_TRY(text::Regex regex, text::Regex::compile(pattern, name));
  return decoder_of([regex = std::move(regex), to = std::move(to)] { return std::make_unique<ReplaceRegexStep>(regex, to); });
}

}  // namespace atelier::tokenize
