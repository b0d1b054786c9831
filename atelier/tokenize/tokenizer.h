// Text to token ids and back: one interface over every kind of vocabulary.
//
// Sources: Hugging Face `tokenizer.json` (the whole pipeline: normalizer, pre-tokenizer, model, post-processor, decoder, added
// tokens), SentencePiece `.model` files, and the vocabulary inside a GGUF file. Ids are exact to the last one; the oracles are
// Hugging Face tokenizers 0.23.3, tiktoken 0.14.0 and SentencePiece (docs/parity.md).
//
// Thread-safe after construction: all methods are const.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "atelier/base/status.h"

namespace atelier::tokenize {

using TokenId = int32_t;

struct EncodeOptions {
  bool add_special_tokens = true;  // what the post-processor (or GGUF's add_bos/add_eos) adds: BOS, [CLS] … [SEP]
  bool parse_special = false;      // text may spell special tokens ("<|im_end|>"); otherwise they are encoded as plain text
  // With `trusted`: special tokens are formed only from bytes inside these [begin, end) ranges of the text (sorted, disjoint), as
  // the chat template's own characters are; overrides parse_special. See chat_template.h.
  const std::vector<std::pair<size_t, size_t>>* trusted = nullptr;
  bool with_offsets = true;  // without, Encoding::offsets stays empty, and encoding is faster
};

struct Encoding {
  std::vector<TokenId> ids;
  std::vector<std::pair<size_t, size_t>> offsets;  // [begin, end) bytes of the input text per id; empty ranges for added tokens
};

// The special tokens that stand around a text, and between two where the tokenizer has a form for pairs:
//   before A after      before A between B after
struct TextFrame {
  std::vector<TokenId> before, between, after;
  bool has_pairs = false;
  int32_t second_segment = 0;  // of B and of `after` in a pair; everything else is 0
};

// The vocabulary as GGUF metadata states it (tokenizer.ggml.*); filled by models/, which can read files.
struct GgufVocabulary {
  std::string model;  // "gpt2", "llama", "bert", "t5"
  std::string pre;    // name of the pre-tokenizer: "smollm", "llama-bpe", …
  std::vector<std::string> tokens;
  std::vector<float> scores;        // empty or one per token
  std::vector<int32_t> types;       // empty or one per token: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte
  std::vector<std::string> merges;  // "left right"
  std::optional<TokenId> bos, eos, unk, sep, pad, cls, mask;
  std::optional<bool> add_bos, add_eos, add_space_prefix, remove_extra_whitespaces;
  std::string precompiled_charsmap;
};

// One decoding in progress: appends to `out` what became certain. See StreamDecoder.
class TokenStream {
 public:
  virtual ~TokenStream() = default;
  virtual Status push(TokenId id, std::string& out) = 0;
  virtual Status finish(std::string& out) = 0;
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // `name` stands in error messages. `config_json` is the text of tokenizer_config.json, or empty.
  static Result<std::unique_ptr<Tokenizer>> from_tokenizer_json(std::string_view json, const std::string& name,
                                                                std::string_view config_json = {});
  static Result<std::unique_ptr<Tokenizer>> from_sentencepiece(std::string_view model, const std::string& name,
                                                               std::string_view config_json = {});
  // The older files: vocab.json + merges.txt (GPT-2's byte-level BPE, or GPT-1's where merges carry "</w>"), vocab.txt (BERT's
  // WordPiece, a token a line), and tiktoken's ranks ("base64 rank" a line) with the name of their pattern ("cl100k_base").
  static Result<std::unique_ptr<Tokenizer>> from_bpe_files(std::string_view vocab_json, std::string_view merges, const std::string& name,
                                                           std::string_view config_json = {});
  static Result<std::unique_ptr<Tokenizer>> from_wordpiece_vocab(std::string_view vocab, const std::string& name,
                                                                 std::string_view config_json = {});
  static Result<std::unique_ptr<Tokenizer>> from_tiktoken(std::string_view ranks, const std::string& pattern, const std::string& name,
                                                          const std::vector<std::pair<std::string, TokenId>>& special_tokens = {});
  static Result<std::unique_ptr<Tokenizer>> from_gguf(GgufVocabulary vocabulary, const std::string& name);

  // Invalid UTF-8 in `text` is read as U+FFFD per maximal invalid part, as Python's errors="replace" does.
  virtual Result<Encoding> encode(std::string_view text, const EncodeOptions& options = {}) const = 0;

  // The ids alone: encode() without offsets.
  Result<std::vector<TokenId>> encode_ids(std::string_view text, EncodeOptions options = {}) const;
  // encode_ids() of every text, with the threads of parallel/; to be called from the owner thread. `trusted` belongs to one text and
  // must be null. An error is that of the first text that has one.
  Result<std::vector<std::vector<TokenId>>> encode_batch(std::span<const std::string_view> texts, const EncodeOptions& options = {}) const;

  // encode_ids() of one long text, which the threads of parallel/ share where the tokenizer allows it (line_cut.h).
  virtual Result<std::vector<TokenId>> encode_long(std::string_view text, const EncodeOptions& options = {}) const {
    return encode_ids(text, options);
  }

  // The text of `ids`. Ids outside the vocabulary are an error. `skip_special` leaves special tokens out.
  virtual Result<std::string> decode(std::span<const TokenId> ids, bool skip_special = true) const = 0;

  // The machine behind decode() and StreamDecoder; it must not outlive the tokenizer.
  virtual std::unique_ptr<TokenStream> start_decoding(bool skip_special) const = 0;

  virtual int64_t vocab_size() const = 0;  // largest id + 1
  virtual std::optional<TokenId> token_to_id(std::string_view token) const = 0;
  virtual std::string id_to_token(TokenId id) const = 0;  // as stored ("Ġthe", "▁the"); "" when out of range
  virtual bool is_special(TokenId id) const = 0;
  virtual TextFrame frame() const { return {}; }  // what encode() adds when special tokens are wanted
  virtual std::optional<TokenId> bos() const = 0;
  virtual std::optional<TokenId> eos() const = 0;
  virtual std::string kind() const = 0;  // "byte-level BPE (smollm)", for `inspect`
};

// Decodes a growing list of ids and hands out text as soon as it can no longer change: never half a character. All that it hands out
// is, put together, what decode() gives for the whole list; the work for a token does not grow with the list.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_special = true) : stream_(tokenizer.start_decoding(skip_special)) {}
  Result<std::string> push(TokenId id);  // the text that became certain, perhaps empty
  Result<std::string> finish();          // what is left; incomplete bytes become U+FFFD

 private:
  std::unique_ptr<TokenStream> stream_;
};

}  // namespace atelier::tokenize
