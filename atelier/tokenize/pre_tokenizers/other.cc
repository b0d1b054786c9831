#include "atelier/tokenize/pre_tokenizers/other.h"

#include "atelier/text/unicode.h"
#include "atelier/text/utf8.h"

namespace atelier::tokenize {
namespace {

class BertPreTokenizer : public PreTokenizer {
 public:
  Status apply(Pieces& pieces) const override {
    const std::string_view text = pieces.text.text();
    constexpr size_t kExpectedWordBytes = 5;
    std::vector<Span> out;
    out.reserve(pieces.ranges.size() + text.size() / kExpectedWordBytes);
    const auto add = [&](size_t begin, size_t end) { out.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end)}); };
    for (const Span range : pieces.ranges) {
      for (size_t i = range.begin; i < range.end;) {
        const size_t border = borders_.find(text, i, range.end);
        if (border > i) add(i, border);
        if (border == range.end) break;
        i = border + text::utf8_length(text[border]);
        if (!white_space_.contains_at(text, border)) add(border, i);
      }
    }
    pieces.ranges = std::move(out);
    return {};
  }
  LineCut at_line_cut() const override { return LineCut::kBorderAtSpace; }

 private:
  CharacterKind white_space_{text::kWhiteSpace};
  CharacterKind borders_{text::kWhiteSpace | text::kPunctuation, text::kSymbol};
};

class DelimiterPreTokenizer : public PreTokenizer {
 public:
  explicit DelimiterPreTokenizer(char32_t delimiter) : delimiter_(text::to_utf8(delimiter)) {}

  Status apply(Pieces& pieces) const override {
    const auto find = [this](std::string_view piece, MatchVisitor visit) {
      for (size_t at = piece.find(delimiter_); at != std::string_view::npos; at = piece.find(delimiter_, at + delimiter_.size())) {
        visit(at, at + delimiter_.size());
      }
      return Status{};
    };
    return split_pieces(pieces, find, SplitBehavior::kRemoved);
  }

 private:
  std::string delimiter_;
};

class FixedLengthPreTokenizer : public PreTokenizer {
 public:
  explicit FixedLengthPreTokenizer(size_t characters) : characters_(characters) {}

  Status apply(Pieces& pieces) const override {
    std::vector<Span> out;
    for (const Span range : pieces.ranges) {
      uint32_t begin = range.begin;
      size_t count = 0;
      for (uint32_t i = range.begin; i < range.end; i += static_cast<uint32_t>(text::utf8_length(pieces.text.text()[i]))) {
        if (count++ < characters_) continue;
        out.push_back({begin, i});
        begin = i;
        count = 1;
      }
      out.push_back({begin, range.end});
    }
    pieces.ranges = std::move(out);
    return {};
  }

 private:
  size_t characters_;
};

// A piece begins at the first character of a script; spaces and characters without a script go on with the piece they are in, and
// are dropped where no piece has begun yet.
class ScriptsPreTokenizer : public PreTokenizer {
 public:
  Status apply(Pieces& pieces) const override {
    std::vector<Span> out;
    for (const Span range : pieces.ranges) cut(pieces.text.text(), range, out);
    pieces.ranges = std::move(out);
    return {};
  }

 private:
  static void cut(std::string_view bytes, Span range, std::vector<Span>& out) {
    constexpr int32_t kNoScript = -2;
    int32_t last = kNoScript;
    size_t begin = range.end;
    for (size_t i = range.begin, length = 0; i < range.end; i += length) {
      const int32_t script = text::script_of_piece(text::decode_utf8(bytes, i, length));
      if (script == text::kAnyScript || script == last) continue;
      if (begin < i) out.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(i)});
      begin = i;
      last = script;
    }
    if (begin < range.end) out.push_back({static_cast<uint32_t>(begin), range.end});
  }
};

}  // namespace

std::unique_ptr<PreTokenizer> bert_pre_tokenizer() { return std::make_unique<BertPreTokenizer>(); }
std::unique_ptr<PreTokenizer> delimiter_pre_tokenizer(char32_t delimiter) { return std::make_unique<DelimiterPreTokenizer>(delimiter); }
std::unique_ptr<PreTokenizer> fixed_length_pre_tokenizer(size_t characters) {
  return std::make_unique<FixedLengthPreTokenizer>(characters);
}
std::unique_ptr<PreTokenizer> scripts_pre_tokenizer() { return std::make_unique<ScriptsPreTokenizer>(); }

}  // namespace atelier::tokenize
