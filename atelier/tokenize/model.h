// A model cuts a pre-tokenized piece into tokens. Implementations: Bpe, ConcatBpe, Unigram, WordPiece, WordLevel.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/tokenize/tokenizer.h"
#include "atelier/tokenize/vocabulary.h"

namespace atelier::tokenize {

struct ModelToken {
  TokenId id;
  uint32_t begin, end;  // bytes of the piece
};

class Model {
 public:
  explicit Model(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}
  virtual ~Model() = default;

  // Appends the tokens of `piece` (valid UTF-8, not empty) to `out`.
  virtual Status tokenize(std::string_view piece, std::vector<ModelToken>& out) const = 0;
  // The same for bytes of any kind that the vocabulary spells in byte-level characters (byte_level.h); ranges are of `piece`.
  virtual Status tokenize_bytes(std::string_view piece, std::vector<ModelToken>& out) const;
  // The first position after `from` where `piece` may be cut in two without a change to its tokens, or its end.
  virtual size_t next_cut(std::string_view piece, size_t from) const { return (void)from, piece.size(); }
  virtual std::string name() const = 0;  // "BPE"

  const Vocabulary& vocabulary() const { return vocabulary_; }

 protected:
  Vocabulary vocabulary_;
};

// "<0x0A>", the token that stands for one byte where a vocabulary has byte fallback.
std::string byte_token(unsigned char byte);
std::optional<unsigned char> parse_byte_token(std::string_view token);  // either case of hexadecimal digits

// The ids of the 256 byte-level characters (byte_level.h), or nothing where one is missing.
std::optional<std::array<TokenId, 256>> find_byte_characters(const Vocabulary& vocabulary);

// The ids of all 256 byte tokens, or nothing where one is missing.
std::optional<std::vector<TokenId>> find_byte_tokens(const Vocabulary& vocabulary);

}  // namespace atelier::tokenize
