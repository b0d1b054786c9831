// The tokenizer that every source is turned into:
//
//   text → added tokens → normalizer → added tokens → pre-tokenizer → model → post-processor → ids
//   ids → added tokens' text or the model's → decoders → text
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "atelier/tokenize/added_tokens.h"
#include "atelier/tokenize/decoder.h"
#include "atelier/tokenize/model.h"
#include "atelier/tokenize/normalizer.h"
#include "atelier/tokenize/post_processor.h"
#include "atelier/tokenize/pre_tokenizer.h"
#include "atelier/tokenize/tokenizer.h"
#include "atelier/tokenize/word_cache.h"

namespace atelier::tokenize {

struct PipelineParts {
  std::string kind;                             // "byte-level BPE (smollm)"
  std::vector<AddedToken> added_tokens;         // in the order they were added
  std::unique_ptr<Normalizer> normalizer;       // may be null
  std::unique_ptr<PreTokenizer> pre_tokenizer;  // may be null
  std::unique_ptr<Model> model;
  std::unique_ptr<PostProcessor> post_processor;  // may be null
  std::vector<std::unique_ptr<Decoder>> decoders;
  std::optional<TokenId> bos, eos;
};

class PipelineTokenizer : public Tokenizer {
 public:
  static Result<std::unique_ptr<Tokenizer>> create(PipelineParts parts);

  Result<Encoding> encode(std::string_view text, const EncodeOptions& options) const override;
  Result<std::vector<TokenId>> encode_long(std::string_view text, const EncodeOptions& options) const override;
  Result<std::string> decode(std::span<const TokenId> ids, bool skip_special) const override;
  std::unique_ptr<TokenStream> start_decoding(bool skip_special) const override;
  int64_t vocab_size() const override { return vocab_size_; }
  std::optional<TokenId> token_to_id(std::string_view token) const override;
  std::string id_to_token(TokenId id) const override;
  bool is_special(TokenId id) const override;
  TextFrame frame() const override { return parts_.post_processor ? parts_.post_processor->frame() : TextFrame{}; }
  std::optional<TokenId> bos() const override { return parts_.bos; }
  std::optional<TokenId> eos() const override { return parts_.eos; }
  std::string kind() const override { return parts_.kind; }

 private:
  class Encoder;
  class Stream;

  explicit PipelineTokenizer(PipelineParts parts) : parts_(std::move(parts)) {}
  Status index_added_tokens();
  bool can_be_cut_between_lines() const;
  const AddedToken* find_added(TokenId id) const;

  PipelineParts parts_;
  std::unordered_map<TokenId, size_t> added_by_id_;  // index into parts_.added_tokens
  std::unordered_map<std::string_view, TokenId> added_by_content_;
  std::unordered_map<TokenId, std::string> normalized_spelling_;  // where the normalizer changes it: what decoding starts from
  TokenMatcher raw_matcher_, normalized_matcher_;
  int64_t vocab_size_ = 0;
  mutable WordCaches caches_;
};

}  // namespace atelier::tokenize
