// Decoders turn the strings of tokens back into text; their names and fields are those of tokenizer.json.
//
// Every step is a small machine that is fed one token after the other and hands on what can no longer change, so that the decoder
// of a whole list and the decoder of a stream are the same code and cannot disagree.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "atelier/base/function_ref.h"
#include "atelier/base/json.h"
#include "atelier/base/status.h"

namespace atelier::tokenize {

// A token's string on its way through the steps. Fuse and ByteLevel make one string of all that follow each other: they hand it on
// in parts, of which only the first has `continues` false.
struct DecodePart {
  std::string text;
  bool continues = false;  // belongs to the same string as the part before
};
using DecodeSink = FunctionRef<void(DecodePart)>;

// The state of one step in one decoding.
class DecodeStep {
 public:
  virtual ~DecodeStep() = default;
  virtual Status push(DecodePart part, DecodeSink out) = 0;
  virtual Status finish(DecodeSink out) { return (void)out, Status{}; }
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual std::unique_ptr<DecodeStep> start() const = 0;
};

// The steps of a decoding, one after the other; without any, tokens are joined with spaces.
class DecodeChain {
 public:
  explicit DecodeChain(const std::vector<std::unique_ptr<Decoder>>& decoders);
  Status push(std::string token, std::string& out);
  Status finish(std::string& out);

 private:
  Status pass(size_t step, DecodePart part, std::string& out);

  std::vector<std::unique_ptr<DecodeStep>> steps_;
  bool joins_with_spaces_;
  bool is_first_ = true;
};

// The `decoder` object of a tokenizer.json, sequences flattened. `name` stands in error messages.
Status append_decoders(const Json& json, const std::string& name, std::vector<std::unique_ptr<Decoder>>& decoders, int depth = 0);

std::unique_ptr<Decoder> byte_level_decoder();
// How a run of byte tokens that is not UTF-8 as a whole is read: Hugging Face gives one U+FFFD per byte of the whole run;
// SentencePiece keeps the valid characters and replaces only the others.
enum class InvalidRun { kReplaceRun, kReplaceInvalidPart };
std::unique_ptr<Decoder> byte_fallback_decoder(InvalidRun invalid_run);
std::unique_ptr<Decoder> fuse_decoder();
std::unique_ptr<Decoder> strip_decoder(char32_t content, size_t start, size_t stop);
std::unique_ptr<Decoder> replace_decoder(std::string from, std::string to);
Result<std::unique_ptr<Decoder>> replace_regex_decoder(const std::string& pattern, std::string to, const std::string& name);
std::unique_ptr<Decoder> metaspace_decoder(std::string replacement, bool drops_first);
std::unique_ptr<Decoder> word_piece_decoder(std::string prefix, bool cleanup);
std::unique_ptr<Decoder> bpe_decoder(std::string suffix);
std::unique_ptr<Decoder> ctc_decoder(std::string pad_token, std::string word_delimiter, bool cleanup);

}  // namespace atelier::tokenize
