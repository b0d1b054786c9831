#include "atelier/tokenize/pre_tokenizers/split.h"

#include "atelier/text/character_class.h"
#include "atelier/text/regex.h"
#include "atelier/tokenize/scanners/scanner.h"

namespace atelier::tokenize {
namespace {

class SplitPreTokenizer : public PreTokenizer {
 public:
  SplitPreTokenizer(text::Regex regex, SplitBehavior behavior, bool invert)
      : regex_(std::move(regex)), behavior_(behavior), invert_(invert) {}

  Status apply(Pieces& pieces) const override {
    const auto find = [this](std::string_view piece, MatchVisitor visit) { return regex_.find_all(piece, visit); };
    return split_pieces(pieces, find, behavior_, invert_);
  }

 private:
  text::Regex regex_;
  SplitBehavior behavior_;
  bool invert_;
};

class ScannerPreTokenizer : public PreTokenizer {
 public:
  explicit ScannerPreTokenizer(const Scanner& scanner) : scanner_(scanner) {}

  Status apply(Pieces& pieces) const override {
    const std::string_view text = pieces.text.text();
    constexpr size_t kExpectedPieceBytes = 4;
    std::vector<Span> out;
    out.reserve(pieces.ranges.size() + text.size() / kExpectedPieceBytes);
    for (const Span range : pieces.ranges) scanner_.scan(text, range, out);
    pieces.ranges = std::move(out);
    return {};
  }
  LineCut at_line_cut() const override { return scanner_.at_line_cut; }

 private:
  const Scanner& scanner_;
};

class CharacterPreTokenizer : public PreTokenizer {
 public:
  CharacterPreTokenizer(const CharacterKind& kind, SplitBehavior behavior) : kind_(kind), behavior_(behavior) {}

  Status apply(Pieces& pieces) const override { return split_at_characters(pieces, kind_, behavior_); }
  // Isolated characters and runs of them do not cross a line end that is none of them.
  LineCut at_line_cut() const override {
    const bool is_local = behavior_ == SplitBehavior::kIsolated || behavior_ == SplitBehavior::kContiguous;
    return is_local && !kind_.contains_at("\n", 0) ? LineCut::kStable : LineCut::kUnsafe;
  }

 private:
  CharacterKind kind_;
  SplitBehavior behavior_;
};

}  // namespace

Result<std::unique_ptr<PreTokenizer>> pattern_pre_tokenizer(const std::string& pattern, SplitBehavior behavior, bool invert,
                                                            const std::string& name) {
  const Scanner* scanner = find_scanner(pattern);
  const bool keeps_all = behavior == SplitBehavior::kIsolated;
  const bool keeps_matches = behavior == SplitBehavior::kRemoved && invert;
  if (scanner != nullptr && (keeps_all || (keeps_matches && scanner->matches_everything))) {
    return std::unique_ptr<PreTokenizer>(std::make_unique<ScannerPreTokenizer>(*scanner));
  }
  ATELIER_TRY(text::Regex regex, text::Regex::compile(pattern, name));
  return std::unique_ptr<PreTokenizer>(std::make_unique<SplitPreTokenizer>(std::move(regex), behavior, invert));
}

std::unique_ptr<PreTokenizer> character_pre_tokenizer(const CharacterKind& kind, SplitBehavior behavior) {
  return std::make_unique<CharacterPreTokenizer>(kind, behavior);
}

std::unique_ptr<PreTokenizer> digits_pre_tokenizer(bool individual_digits) {
  return character_pre_tokenizer(CharacterKind(text::kNumber), individual_digits ? SplitBehavior::kIsolated : SplitBehavior::kContiguous);
}

std::unique_ptr<PreTokenizer> punctuation_pre_tokenizer(SplitBehavior behavior) {
  return character_pre_tokenizer(CharacterKind(text::kPunctuation, text::kSymbol), behavior);
}

}  // namespace atelier::tokenize
