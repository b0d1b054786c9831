// Byte-pair encoding with an explicit list of merges, as in tokenizer.json, vocab.json + merges.txt and GGUF's "gpt2".
//
// Symbols start as the characters of the piece; a character without a token becomes its bytes (byte fallback) or the unknown token.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "atelier/tokenize/merge_symbols.h"
#include "atelier/tokenize/model.h"
#include "atelier/tokenize/word_borders.h"

namespace atelier::tokenize {

struct BpeOptions {
  std::optional<std::string> unk_token;  // without one, characters that have no token vanish
  bool fuse_unk = false;                 // one unknown token for a run of unknown characters
  bool byte_fallback = false;
  bool ignore_merges = false;             // a piece that is a token as a whole is taken as it is (Llama 3)
  std::string continuing_subword_prefix;  // before every character but a piece's first
  std::string end_of_word_suffix;         // after a piece's last character ("</w>" of GPT-1)
};

// (left id, right id) -> merge; open addressing, immutable once built.
class MergeTable {
 public:
  void reserve(size_t num_merges);
  void add(TokenId left, TokenId right, Merge merge);  // a pair given twice keeps the later merge
  Merge find(TokenId left, TokenId right) const {
    if (slots_.empty() || left < 0 || right < 0) return {};
    for (size_t i = index(left, right);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i].left == left && slots_[i].right == right) return slots_[i].merge;
      if (slots_[i].left < 0) return {};
    }
  }

 private:
  struct Slot {
    TokenId left = -1, right = -1;
    Merge merge;
  };
  size_t index(TokenId left, TokenId right) const {
    const uint64_t key = static_cast<uint64_t>(left) << 32 | static_cast<uint32_t>(right);
    return (key * 0x9E3779B97F4A7C15u) >> shift_;
  }

  std::vector<Slot> slots_;
  int shift_ = 63;
};

class Bpe : public Model {
 public:
  // `merges` in order of rank, each side a token; the concatenation must be a token too. `name` stands in error messages.
  static Result<std::unique_ptr<Bpe>> create(Vocabulary vocabulary, const std::vector<std::pair<std::string, std::string>>& merges,
                                             BpeOptions options, const std::string& name);
  // The merges behind tiktoken's ranks, where any two tokens merge whose concatenation is a token, at its rank, and the rank is the
  // id: byte-level tokens that are taken whole. Null when the ranks are not those of a trained byte-pair encoding over all 256 bytes
  // (see recover_pairs); ConcatBpe takes any.
  static std::unique_ptr<Bpe> from_ranks(Vocabulary& vocabulary);

  Status tokenize(std::string_view piece, std::vector<ModelToken>& out) const override;
  Status tokenize_bytes(std::string_view piece, std::vector<ModelToken>& out) const override;
  size_t next_cut(std::string_view piece, size_t from) const override { return borders_.next(piece, from); }
  std::string name() const override { return "BPE"; }

 private:
  Bpe(Vocabulary vocabulary, BpeOptions options);
  bool recover_pairs();
  Status add_merges(const std::vector<std::pair<std::string, std::string>>& merges, const std::string& name);
  void split_into_symbols(std::string_view piece, std::vector<Symbol>& symbols) const;
  std::optional<TokenId> find_character(std::string_view character, bool is_first, bool is_last) const;
  Status merge(std::vector<Symbol>& symbols, std::vector<ModelToken>& out) const;
  bool append_bytes(std::string_view spelled, uint32_t begin, std::vector<Symbol>& symbols) const;

  BpeOptions options_;
  std::optional<TokenId> unk_id_;
  MergeTable merges_;
  std::optional<std::array<TokenId, 256>> byte_ids_;  // tokens of the byte-level characters, where the vocabulary has all of them
  WordBorders borders_;
};

}  // namespace atelier::tokenize
