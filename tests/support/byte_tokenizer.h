// A tokenizer whose tokens are bytes, for tests of generation.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "atelier/tokenize/tokenizer.h"

namespace atelier::generate {

// Hands out bytes when they complete a character.
class ByteStream : public tokenize::TokenStream {
 public:
  Status push(int32_t id, std::string& out) override {
    if (id < 256) pending_ += static_cast<char>(id);
    if (!pending_.empty() && pending_.size() == sequence_length(static_cast<unsigned char>(pending_[0]))) return finish(out);
    return {};
  }
  Status finish(std::string& out) override {
    out += std::exchange(pending_, {});
    return {};
  }

 private:
  static size_t sequence_length(unsigned char lead) { return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4; }
  std::string pending_;
};

// Token id = byte; 256 is the end of text.
class ByteTokenizer : public tokenize::Tokenizer {
 public:
  static constexpr int32_t kEnd = 256;

  Result<tokenize::Encoding> encode(std::string_view text, const tokenize::EncodeOptions&) const override {
    tokenize::Encoding encoding;
    for (size_t i = 0; i < text.size(); ++i) {
      encoding.ids.push_back(static_cast<unsigned char>(text[i]));
      encoding.offsets.emplace_back(i, i + 1);
    }
    return encoding;
  }
  Result<std::string> decode(std::span<const int32_t> ids, bool skip_special) const override {
    std::string text;
    for (const int32_t id : ids) {
      if (id < kEnd) text += static_cast<char>(id);
      if (id == kEnd && !skip_special) text += "<end>";
    }
    return text;
  }
  std::unique_ptr<tokenize::TokenStream> start_decoding(bool) const override { return std::make_unique<ByteStream>(); }
  int64_t vocab_size() const override { return kEnd + 1; }
  std::optional<int32_t> token_to_id(std::string_view) const override { return std::nullopt; }
  std::string id_to_token(int32_t id) const override { return id == kEnd ? "<end>" : std::string(1, static_cast<char>(id)); }
  bool is_special(int32_t id) const override { return id == kEnd; }
  std::optional<int32_t> bos() const override { return std::nullopt; }
  std::optional<int32_t> eos() const override { return kEnd; }
  std::string kind() const override { return "bytes"; }
};

}  // namespace atelier::generate
