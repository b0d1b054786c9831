#include "atelier/tokenize/scanners/scanner.h"

#include "atelier/tokenize/pretokenizer_patterns.h"
#include "atelier/tokenize/scanners/rules.h"

namespace atelier::tokenize {
namespace {

using text::kLetter;
using text::kMark;
using text::kNotLowerCase;
using text::kNotUpperCase;
using text::kNumber;
using text::kPunctuation;
using text::kSymbol;
using text::kWhiteSpace;
using Reader = CharacterReader;

// `Next::next(reader, at)` is the end of the piece that begins at `at`.
template <typename Next>
void scan(std::string_view text, Span range, std::vector<Span>& out) {
  const Reader reader(text, range);
  for (size_t at = range.begin; at < range.end;) {
    const size_t end = Next::next(reader, at);
    out.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(end)});
    at = end;
  }
}

// GPT-2: kGpt2Pattern.
struct Gpt2 {
  static size_t next(const Reader& reader, size_t at) {
    if (const size_t end = contraction_end(reader, at, LetterCase::kLower); end > at) return end;
    const size_t begin = at + (reader.byte(at) == ' ' ? 1 : 0);
    const auto first = reader.at(begin);
    if (first.length == 0) return begin;
    const size_t second = begin + first.length;
    if (first.is(kLetter)) return reader.skip(second, kLetter);
    if (first.is(kNumber)) return reader.skip(second, kNumber);
    if (!first.is(kWhiteSpace)) return reader.skip_except(second, kWordOrSpace);
    return white_space_end(reader, at, LineEnds::kAsAnySpace);
  }
};

// cl100k_base and its relatives: kCl100kPattern, with up to `kDigits` digits.
template <int kDigits>
struct Cl100k {
  static size_t next(const Reader& reader, size_t at) {
    const auto first = reader.at(at);
    const size_t second = at + first.length;
    if (first.is(kLetter)) return reader.skip(second, kLetter);
    if (first.is(kNumber)) return number_end(reader, at, kDigits);
    if (const size_t end = contraction_end(reader, at, LetterCase::kAny); end > at) return end;
    const auto next = reader.at(second);
    if (next.is(kLetter) && !reader.is_line_end(at)) return reader.skip(second + next.length, kLetter);
    const bool follows_space = reader.byte(at) == ' ' && next.length > 0 && !next.is(kWordOrSpace);
    if (first.is(kWhiteSpace) && !follows_space) return white_space_end(reader, at, LineEnds::kApart);
    return reader.skip_line_ends(reader.skip_except(second, kWordOrSpace));
  }
};

// o200k_base: kO200kPattern; Tekken is the same without contractions.
template <int kDigits, bool kHasContractions>
struct O200k {
  static size_t next(const Reader& reader, size_t at) {
    const auto first = reader.at(at);
    const size_t second = at + first.length;
    const bool may_be_prefix = !first.is(kLetter | kNumber) && !reader.is_line_end(at);
    if (may_be_prefix) {
      if (const size_t end = mixed_word_end(reader, second); end > second) return end;
    }
    if (const size_t end = mixed_word_end(reader, at); end > at) return end;
    if (may_be_prefix) {
      if (const size_t end = upper_word_end(reader, second); end > second) return end;
    }
    if (const size_t end = upper_word_end(reader, at); end > at) return end;
    if (first.is(kNumber)) return number_end(reader, at, kDigits);
    const auto next = reader.at(second);
    const bool follows_space = reader.byte(at) == ' ' && next.length > 0 && !next.is(kWordOrSpace);
    if (first.is(kWhiteSpace) && !follows_space) return white_space_end(reader, at, LineEnds::kApart);
    size_t end = reader.skip_except(second, kWordOrSpace);
    while (reader.is_line_end(end) || reader.byte(end) == '/') ++end;
    return end;
  }

 private:
  // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+: after the capitals the small letters; where none follow, the first run
  // gives back up to its last character that the second takes as well.
  static size_t mixed_word_end(const Reader& reader, size_t at) {
    size_t capitals_end = at, last_shared_end = at;
    for (auto c = reader.at(capitals_end); c.is(kNotLowerCase); c = reader.at(capitals_end)) {
      capitals_end += c.length;
      if (c.is(kNotUpperCase)) last_shared_end = capitals_end;
    }
    const size_t end = reader.skip(capitals_end, kNotUpperCase);
    if (end > capitals_end) return contraction(reader, end);
    return last_shared_end > at ? contraction(reader, last_shared_end) : at;
  }
  // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*, where mixed_word_end() finds nothing: capitals alone.
  static size_t upper_word_end(const Reader& reader, size_t at) {
    const size_t end = reader.skip(at, kNotLowerCase);
    return end > at ? contraction(reader, end) : at;
  }
  static size_t contraction(const Reader& reader, size_t end) {
    return kHasContractions ? contraction_end(reader, end, LetterCase::kAny) : end;
  }
};

bool is_ascii_letter(char byte) { return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z'); }

// Pieces of a pattern that leaves text between its matches: `Match::match(reader, at)` is the end of the match at `at`, or `at`.
template <typename Match>
struct WithGaps {
  static size_t next(const Reader& reader, size_t at) {
    if (const size_t end = Match::match(reader, at); end > at) return end;
    do {
      at += reader.at(at).length;
    } while (!reader.at_end(at) && Match::match(reader, at) == at);
    return at;
  }
};

// DeepSeek V3: kDeepseekV3Pattern.
struct DeepseekV3 {
  static size_t match(const Reader& reader, size_t at) {
    const auto first = reader.at(at);
    const size_t second = at + first.length;
    const auto next = reader.at(second);
    const bool is_ascii_mark = first.is(kPunctuation | kSymbol) && first.length == 1;
    if (is_ascii_mark && is_ascii_letter(reader.byte(second))) {
      size_t end = second;
      while (is_ascii_letter(reader.byte(end))) ++end;
      return end;
    }
    if (first.is(kLetter | kMark)) return reader.skip(second, kLetter | kMark);
    if (!first.is(kPunctuation | kSymbol) && !reader.is_line_end(at) && next.is(kLetter | kMark)) {
      return reader.skip(second, kLetter | kMark);
    }
    const size_t marks = reader.byte(at) == ' ' ? second : at;
    if (const size_t end = reader.skip(marks, kPunctuation | kSymbol); end > marks) return reader.skip_line_ends(end);
    return first.is(kWhiteSpace) ? white_space_end(reader, at, LineEnds::kApart) : at;
  }
};

// \p{N}{1,3}
struct NumberTriples {
  static size_t match(const Reader& reader, size_t at) { return number_end(reader, at, 3); }
};

// \s?[classes]+
template <unsigned kClasses>
struct SpacedRun {
  static size_t match(const Reader& reader, size_t at) {
    const auto first = reader.at(at);
    const size_t begin = at + (first.is(kWhiteSpace) ? first.length : 0);
    const size_t end = reader.skip(begin, kClasses);
    return end > begin ? end : at;
  }
};

// [\r\n]
struct LineEnd {
  static size_t match(const Reader& reader, size_t at) { return at + (reader.is_line_end(at) ? 1 : 0); }
};

}  // namespace

const std::vector<Scanner>& scanners() {
  static const std::vector<Scanner> kScanners = {
      {kGpt2Pattern, scan<Gpt2>, true, LineCut::kBorder},
      {kGpt2PatternGrouped, scan<Gpt2>, true, LineCut::kBorder},
      {kCl100kPattern, scan<Cl100k<3>>, true, LineCut::kBorder},
      {kQwen2Pattern, scan<Cl100k<1>>, true, LineCut::kBorder},
      {kO200kPattern, scan<O200k<3, true>>, true, LineCut::kBorder},
      {kTekkenPattern, scan<O200k<1, false>>, true, LineCut::kBorder},
      {kDeepseekV3Pattern, scan<WithGaps<DeepseekV3>>, false, LineCut::kBorder},
      {kNumberTriplesPattern, scan<WithGaps<NumberTriples>>, false, LineCut::kStable},
      {kSpacedLettersPattern, scan<WithGaps<SpacedRun<kLetter>>>, false, LineCut::kUnsafe},
      {kSpacedPunctuationPattern, scan<WithGaps<SpacedRun<kPunctuation>>>, false, LineCut::kUnsafe},
      {kLineEndPattern, scan<WithGaps<LineEnd>>, false, LineCut::kBorder},
  };
  return kScanners;
}

const Scanner* find_scanner(std::string_view pattern) {
  for (const Scanner& scanner : scanners()) {
    if (scanner.pattern == pattern) return &scanner;
  }
  return nullptr;
}

}  // namespace atelier::tokenize
