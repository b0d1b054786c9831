#include "atelier/tokenize/pre_tokenizers/byte_level.h"

#include "atelier/text/utf8.h"
#include "atelier/tokenize/byte_level.h"
#include "atelier/tokenize/pre_tokenizers/split.h"
#include "atelier/tokenize/pretokenizer_patterns.h"

namespace atelier::tokenize {
namespace {

void add_space_in_front(Pieces& pieces) {
  rewrite_pieces(pieces, [](const AlignedText& from, Span range, AlignedText& to) {
    if (from.text()[range.begin] != ' ') {
      const size_t length = text::utf8_length(from.text()[range.begin]);
      to.append_for(" ", from, range.begin, range.begin + length);
    }
    to.append(from, range.begin, range.end);
  });
}

class ByteLevelPreTokenizer : public PreTokenizer {
 public:
  explicit ByteLevelPreTokenizer(const ByteLevelOptions& options) : options_(options) {
    split_ = pattern_pre_tokenizer(kGpt2Pattern, SplitBehavior::kIsolated, /*invert=*/false, "ByteLevel").value();
  }

  Status apply(Pieces& pieces) const override {
    if (options_.add_prefix_space) add_space_in_front(pieces);
    if (options_.use_regex) ATELIER_RETURN_IF_ERROR(split_->apply(pieces));
    pieces.are_bytes = true;
    return {};
  }
  LineCut at_line_cut() const override {
    if (options_.add_prefix_space) return LineCut::kUnsafe;
    return options_.use_regex ? split_->at_line_cut() : LineCut::kStable;
  }

 private:
  ByteLevelOptions options_;
  std::unique_ptr<PreTokenizer> split_;  // GPT-2's
};

}  // namespace

std::unique_ptr<PreTokenizer> byte_level_pre_tokenizer(const ByteLevelOptions& options) {
  return std::make_unique<ByteLevelPreTokenizer>(options);
}

void spell_out_bytes(Pieces& pieces) {
  if (!pieces.are_bytes) return;
  rewrite_pieces(pieces, [](const AlignedText& from, Span range, AlignedText& to) { append_byte_level(from, range, to); });
  pieces.are_bytes = false;
}

void append_byte_level(const AlignedText& from, Span range, AlignedText& to) {
  for (size_t i = range.begin, length = 0; i < range.end; i += length) {
    length = text::utf8_length(from.text()[i]);
    for (size_t j = i; j < i + length; ++j)
      to.append_for(byte_to_character(static_cast<unsigned char>(from.text()[j])), from, i, i + length);
  }
}

}  // namespace atelier::tokenize
