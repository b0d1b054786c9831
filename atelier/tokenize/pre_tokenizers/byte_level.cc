#include "atelier/tokenize/pre_tokenizers/byte_level.h"

#include "atelier/base/error.h"
#include "atelier/text/regex.h"
#include "atelier/text/utf8.h"
#include "atelier/tokenize/byte_level.h"
#include "atelier/tokenize/pretokenizer_patterns.h"

namespace atelier::tokenize {
namespace {

const text::Regex& gpt2_regex() {
  static const text::Regex kRegex = text::Regex::compile(kGpt2Pattern, "ByteLevel").value();
  return kRegex;
}

void add_space_in_front(Pieces& pieces) {
  rewrite_pieces(pieces, [](const AlignedText& from, Span range, AlignedText& to) {
    if (from.text()[range.begin] != ' ') {
      const size_t length = text::utf8_length(from.text()[range.begin]);
      to.append(" ", from.source(range.begin, range.begin + length));
    }
    to.append(from, range.begin, range.end);
  });
}

class ByteLevelPreTokenizer : public PreTokenizer {
 public:
  explicit ByteLevelPreTokenizer(const ByteLevelOptions& options) : options_(options) {}

  Status apply(Pieces& pieces) const override {
    if (options_.add_prefix_space) add_space_in_front(pieces);
    if (options_.use_regex) {
      const auto find = [](std::string_view piece, MatchVisitor visit) { return gpt2_regex().find_all(piece, visit); };
      ATELIER_RETURN_IF_ERROR(split_pieces(pieces, find, SplitBehavior::kIsolated));
    }
    rewrite_pieces(pieces, [](const AlignedText& from, Span range, AlignedText& to) { append_byte_level(from, range, to); });
    return {};
  }

 private:
  ByteLevelOptions options_;
};

}  // namespace

std::unique_ptr<PreTokenizer> byte_level_pre_tokenizer(const ByteLevelOptions& options) {
  return std::make_unique<ByteLevelPreTokenizer>(options);
}

void append_byte_level(const AlignedText& from, Span range, AlignedText& to) {
  for (size_t i = range.begin, length = 0; i < range.end; i += length) {
    length = text::utf8_length(from.text()[i]);
    const Span source = from.source(i, i + length);
    for (size_t j = i; j < i + length; ++j) to.append(byte_to_character(static_cast<unsigned char>(from.text()[j])), source);
  }
}

}  // namespace atelier::tokenize
