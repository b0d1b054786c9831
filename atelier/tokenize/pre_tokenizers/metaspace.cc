#include "atelier/tokenize/pre_tokenizers/metaspace.h"

#include "atelier/text/utf8.h"

namespace atelier::tokenize {
namespace {

class MetaspacePreTokenizer : public PreTokenizer {
 public:
  explicit MetaspacePreTokenizer(MetaspaceOptions options) : options_(std::move(options)) {}

  Status apply(Pieces& pieces) const override {
    rewrite_pieces(pieces, [this](const AlignedText& from, Span range, AlignedText& to) { rewrite(from, range, to); });
    if (!options_.split) return {};
    const auto find = [this](std::string_view piece, MatchVisitor visit) {
      const size_t length = options_.replacement.size();
      for (size_t at = piece.find(options_.replacement); at != std::string_view::npos; at = piece.find(options_.replacement, at + length)) {
        visit(at, at + length);
      }
      return Status{};
    };
    return split_pieces(pieces, find, SplitBehavior::kMergedWithNext);
  }

 private:
  void rewrite(const AlignedText& from, Span range, AlignedText& to) const {
    const std::string_view piece = from.text().substr(range.begin, range.end - range.begin);
    const bool starts_with_space = piece.starts_with(' ') || piece.starts_with(options_.replacement);
    const size_t first_end = range.begin + text::utf8_length(piece[0]);
    const bool is_wanted = options_.prepend == MetaspaceOptions::Prepend::kAlways ||
                           (options_.prepend == MetaspaceOptions::Prepend::kFirst && from.comes_from_beginning(range.begin, first_end));
    if (is_wanted && !starts_with_space) to.append_for(options_.replacement, from, range.begin, first_end);
    size_t done = range.begin;
    for (size_t i = range.begin; i < range.end; ++i) {
      if (from.text()[i] != ' ') continue;
      to.append(from, done, i);
      to.append_for(options_.replacement, from, i, i + 1);
      done = i + 1;
    }
    to.append(from, done, range.end);
  }

  MetaspaceOptions options_;
};

}  // namespace

std::unique_ptr<PreTokenizer> metaspace_pre_tokenizer(MetaspaceOptions options) {
  return std::make_unique<MetaspacePreTokenizer>(std::move(options));
}

}  // namespace atelier::tokenize
