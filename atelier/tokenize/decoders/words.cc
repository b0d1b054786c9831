// Metaspace, WordPiece, BPEDecoder and CTC: decoders that put spaces between words.
#include "atelier/base/strings.h"
#include "atelier/tokenize/decoder.h"

namespace atelier::tokenize {
namespace {

// Puts the punctuation and the contractions of English back to their words, as the reference does, token by token.
void clean_up(std::string& token) {
  static constexpr std::pair<const char*, const char*> kRules[] = {{" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
                                                                   {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
                                                                   {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : kRules) replace_all(token, from, to);
}

class MetaspaceDecoder : public Decoder {
 public:
  MetaspaceDecoder(std::string replacement, bool drops_first) : replacement_(std::move(replacement)), drops_first_(drops_first) {}
  std::unique_ptr<DecodeStep> start() const override { return std::make_unique<Step>(*this); }

 private:
  class Step : public DecodeStep {
   public:
    explicit Step(const MetaspaceDecoder& decoder) : decoder_(decoder), drops_(decoder.drops_first_) {}
    Status push(DecodePart part, DecodeSink out) override {
      replace_all(part.text, decoder_.replacement_, drops_ ? "" : " ");
      drops_ = false;
      out(std::move(part));
      return {};
    }

   private:
    const MetaspaceDecoder& decoder_;
    bool drops_;
  };

  std::string replacement_;
  bool drops_first_;
};

class WordPieceDecoder : public Decoder {
 public:
  WordPieceDecoder(std::string prefix, bool cleanup) : prefix_(std::move(prefix)), cleanup_(cleanup) {}
  std::unique_ptr<DecodeStep> start() const override { return std::make_unique<Step>(*this); }

 private:
  class Step : public DecodeStep {
   public:
    explicit Step(const WordPieceDecoder& decoder) : decoder_(decoder) {}
    Status push(DecodePart part, DecodeSink out) override {
      if (!is_first_) part.text = part.text.starts_with(decoder_.prefix_) ? part.text.substr(decoder_.prefix_.size()) : " " + part.text;
      is_first_ = false;
      if (decoder_.cleanup_) clean_up(part.text);
      out(std::move(part));
      return {};
    }

   private:
    const WordPieceDecoder& decoder_;
    bool is_first_ = true;
  };

  std::string prefix_;
  bool cleanup_;
};

// The end-of-word suffix becomes a space, except in the last token: one token always waits.
class BpeDecoder : public Decoder {
 public:
  explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}
  std::unique_ptr<DecodeStep> start() const override { return std::make_unique<Step>(*this); }

 private:
  class Step : public DecodeStep {
   public:
    explicit Step(const BpeDecoder& decoder) : decoder_(decoder) {}
    Status push(DecodePart part, DecodeSink out) override {
      hand_on(" ", out);
      waiting_ = std::move(part);
      is_waiting_ = true;
      return {};
    }
    Status finish(DecodeSink out) override { return hand_on("", out), Status{}; }

   private:
    void hand_on(const char* replacement, DecodeSink out) {
      if (!is_waiting_) return;
      replace_all(waiting_.text, decoder_.suffix_, replacement);
      out(std::move(waiting_));
      is_waiting_ = false;
    }
    const BpeDecoder& decoder_;
    DecodePart waiting_;
    bool is_waiting_ = false;
  };

  std::string suffix_;
};

class CtcDecoder : public Decoder {
 public:
  CtcDecoder(std::string pad_token, std::string word_delimiter, bool cleanup)
      : pad_token_(std::move(pad_token)), word_delimiter_(std::move(word_delimiter)), cleanup_(cleanup) {}
  std::unique_ptr<DecodeStep> start() const override { return std::make_unique<Step>(*this); }

 private:
  class Step : public DecodeStep {
   public:
    explicit Step(const CtcDecoder& decoder) : decoder_(decoder) {}
    Status push(DecodePart part, DecodeSink out) override {
      if (!is_first_ && part.text == last_) return {};
      is_first_ = false;
      last_ = part.text;
      replace_all(part.text, decoder_.pad_token_, "");
      if (decoder_.cleanup_) {
        clean_up(part.text);
        replace_all(part.text, decoder_.word_delimiter_, " ");
      }
      if (!part.text.empty()) out(std::move(part));
      return {};
    }

   private:
    const CtcDecoder& decoder_;
    std::string last_;
    bool is_first_ = true;
  };

  std::string pad_token_, word_delimiter_;
  bool cleanup_;
};

}  // namespace

std::unique_ptr<Decoder> metaspace_decoder(std::string replacement, bool drops_first) {
  return std::make_unique<MetaspaceDecoder>(std::move(replacement), drops_first);
}
std::unique_ptr<Decoder> word_piece_decoder(std::string prefix, bool cleanup) {
  return std::make_unique<WordPieceDecoder>(std::move(prefix), cleanup);
}
std::unique_ptr<Decoder> bpe_decoder(std::string suffix) { return std::make_unique<BpeDecoder>(std::move(suffix)); }
std::unique_ptr<Decoder> ctc_decoder(std::string pad_token, std::string word_delimiter, bool cleanup) {
  return std::make_unique<CtcDecoder>(std::move(pad_token), std::move(word_delimiter), cleanup);
}

}  // namespace atelier::tokenize
