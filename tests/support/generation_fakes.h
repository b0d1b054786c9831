// Stand-ins for tests of generation: a tokenizer whose tokens are bytes, and a model that recites a text.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "atelier/generate/sequence_model.h"
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

// After p tokens the likeliest next one is script[p] (the end after the script), with logit 2 against 0 for all others.
class ScriptedModel : public SequenceModel {
 public:
  explicit ScriptedModel(std::string script, int64_t context = 1000) : script_(std::move(script)), context_(context) {}

  int64_t context() const override { return context_; }
  int64_t length() const override { return static_cast<int64_t>(cached.size()); }
  void truncate(int64_t length) override { cached.resize(static_cast<size_t>(length)); }
  Result<std::span<const float>> forward(std::span<const int32_t> ids, int64_t num_logits) override {
    num_forwarded += static_cast<int64_t>(ids.size());
    cached.insert(cached.end(), ids.begin(), ids.end());
    logits_.assign(static_cast<size_t>(num_logits) * kVocabulary, 0.0f);
    for (int64_t row = 0; row < num_logits; ++row) {
      const size_t next = cached.size() - static_cast<size_t>(num_logits - row) + 1;
      logits_[static_cast<size_t>(row) * kVocabulary + static_cast<size_t>(likeliest(next))] = is_broken ? NAN : 2.0f;
    }
    return std::span<const float>(logits_);
  }

  static constexpr size_t kVocabulary = 257;
  std::vector<int32_t> cached;
  int64_t num_forwarded = 0;
  bool is_broken = false;

 private:
  int32_t likeliest(size_t position) const {
    return position < script_.size() ? static_cast<unsigned char>(script_[position]) : ByteTokenizer::kEnd;
  }

  std::string script_;
  int64_t context_;
  std::vector<float> logits_;
};

}  // namespace atelier::generate
