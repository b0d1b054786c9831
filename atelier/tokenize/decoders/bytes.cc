// ByteLevel and ByteFallback: from tokens that spell bytes to UTF-8.
#include "atelier/text/utf8.h"
#include "atelier/tokenize/byte_level.h"
#include "atelier/tokenize/decoder.h"
#include "atelier/tokenize/model.h"

namespace atelier::tokenize {
namespace {

// Characters of the byte-level alphabet become bytes again; a token with any other character stands for itself. Invalid UTF-8
// becomes U+FFFD; bytes that a later token may complete wait.
class ByteLevelStep : public DecodeStep {
 public:
  Status push(DecodePart part, DecodeSink out) override {
    waiting_ += decode_byte_level(part.text).value_or(part.text);
    const size_t certain = text::certain_prefix(waiting_);
    if (certain > 0) hand_on(waiting_.substr(0, certain), out);
    waiting_.erase(0, certain);
    return {};
  }

  Status finish(DecodeSink out) override {
    hand_on(waiting_, out);
    waiting_.clear();
    return {};
  }

 private:
  void hand_on(std::string_view bytes, DecodeSink out) {
    out({text::repair_utf8(bytes), continues_});
    continues_ = true;
  }

  std::string waiting_;
  bool continues_ = false;
};

class ByteFallbackStep : public DecodeStep {
 public:
  explicit ByteFallbackStep(InvalidRun invalid_run) : invalid_run_(invalid_run) {}

  Status push(DecodePart part, DecodeSink out) override {
    if (const auto byte = part.continues ? std::nullopt : parse_byte_token(part.text)) {
      run_ += static_cast<char>(*byte);
      if (invalid_run_ == InvalidRun::kReplaceInvalidPart) hand_on(text::certain_prefix(run_), out);
      return {};
    }
    end_run(out);
    out(std::move(part));
    return {};
  }

  Status finish(DecodeSink out) override { return end_run(out), Status{}; }

 private:
  void end_run(DecodeSink out) {
    if (invalid_run_ == InvalidRun::kReplaceRun && !text::is_valid_utf8(run_)) {
      for (size_t i = 0; i < run_.size(); ++i) out({text::to_utf8(text::kReplacement), false});
      run_.clear();
    }
    hand_on(run_.size(), out);
  }

  void hand_on(size_t certain, DecodeSink out) {
    if (certain == 0) return;
    out({text::repair_utf8(std::string_view(run_).substr(0, certain)), false});
    run_.erase(0, certain);
  }

  InvalidRun invalid_run_;
  std::string run_;
};

class ByteLevelDecoder : public Decoder {
 public:
  std::unique_ptr<DecodeStep> start() const override { return std::make_unique<ByteLevelStep>(); }
};

class ByteFallbackDecoder : public Decoder {
 public:
  explicit ByteFallbackDecoder(InvalidRun invalid_run) : invalid_run_(invalid_run) {}
  std::unique_ptr<DecodeStep> start() const override { return std::make_unique<ByteFallbackStep>(invalid_run_); }

 private:
  InvalidRun invalid_run_;
};

}  // namespace

std::unique_ptr<Decoder> byte_level_decoder() { return std::make_unique<ByteLevelDecoder>(); }
std::unique_ptr<Decoder> byte_fallback_decoder(InvalidRun invalid_run) { return std::make_unique<ByteFallbackDecoder>(invalid_run); }

}  // namespace atelier::tokenize
