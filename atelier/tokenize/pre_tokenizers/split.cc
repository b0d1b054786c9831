#include "atelier/tokenize/pre_tokenizers/split.h"

#include "atelier/text/unicode.h"

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

class CharacterPreTokenizer : public PreTokenizer {
 public:
  CharacterPreTokenizer(bool (*is_delimiter)(char32_t), SplitBehavior behavior) : is_delimiter_(is_delimiter), behavior_(behavior) {}

  Status apply(Pieces& pieces) const override { return split_at_characters(pieces, is_delimiter_, behavior_); }

 private:
  bool (*is_delimiter_)(char32_t);
  SplitBehavior behavior_;
};

}  // namespace

std::unique_ptr<PreTokenizer> split_pre_tokenizer(text::Regex regex, SplitBehavior behavior, bool invert) {
  return std::make_unique<SplitPreTokenizer>(std::move(regex), behavior, invert);
}

std::unique_ptr<PreTokenizer> character_pre_tokenizer(bool (*is_delimiter)(char32_t), SplitBehavior behavior) {
  return std::make_unique<CharacterPreTokenizer>(is_delimiter, behavior);
}

std::unique_ptr<PreTokenizer> digits_pre_tokenizer(bool individual_digits) {
  return character_pre_tokenizer(text::is_numeric, individual_digits ? SplitBehavior::kIsolated : SplitBehavior::kContiguous);
}

std::unique_ptr<PreTokenizer> punctuation_pre_tokenizer(SplitBehavior behavior) {
  return character_pre_tokenizer(text::is_ascii_or_unicode_punctuation, behavior);
}

}  // namespace atelier::tokenize
