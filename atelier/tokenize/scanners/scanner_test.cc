// Every scanner against the regular expression that it stands for.
#include "atelier/tokenize/scanners/scanner.h"

#include <gtest/gtest.h>

#include <random>

#include "atelier/text/regex.h"
#include "atelier/text/utf8.h"

namespace atelier::tokenize {
namespace {

std::vector<Span> cut_with_regex(const text::Regex& regex, std::string_view text) {
  std::vector<Span> out;
  size_t done = 0;
  const auto add = [&](size_t begin, size_t end) {
    if (begin < end) out.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
  };
  EXPECT_TRUE(regex
                  .find_all(text,
                            [&](size_t begin, size_t end) {
                              add(done, begin);
                              add(begin, end);
                              done = end;
                            })
                  .ok());
  add(done, text.size());
  return out;
}

// Strings of what the patterns tell apart, and of any code point at all: every category comes up.
class TextMaker {
 public:
  explicit TextMaker(uint32_t seed) : random_(seed) {}

  std::string text() {
    std::string out;
    for (size_t i = 1 + below(12); i > 0; --i) append_part(out);
    return out;
  }

 private:
  static constexpr const char* kParts[] = {" ",        "  ",     "\n",       "\r\n",    "\t",
                                           "\u00a0",   "\u3000", "\u2028",   "'s",      "'S",
                                           "'\u017f",  "'ll",    "'LL",      "'re",     "'Ve",
                                           "'",        "'x",     "a",        "B",       "word",
                                           "WordWord", "éÉ",     "ß",        "\u01c5",  "\u02b0",
                                           "中文",     "ひ",     "カ",       "\u0301",  "\u0300\u0323",
                                           "\u0903",   "1",      "12",       "1234567", "\u0661\u0662\u0663\u0664",
                                           "½",        "\u2167", "!",        "...",     "$",
                                           "+",        "/",      "//\n",     "!\n\n",   "-\r\n/",
                                           "_",        "·",      "«",        "🙂",    "👨\u200d👩",
                                           "\u200b",   "\u0007", "\ue000",   "\u0378",  "가",
                                           "\u1100",   "<|x|>",  "#include", "x'Ll",    "\u0085"};

  size_t below(size_t limit) { return random_() % limit; }

  void append_part(std::string& out) {
    const size_t kind = below(10);
    if (kind < 7) {
      out += kParts[below(std::size(kParts))];
    } else if (kind < 8) {
      out += static_cast<char>(below(0x80));
    } else {
      const auto c = static_cast<char32_t>(kind == 8 ? below(0x3000) : below(0x110000));
      if (c < 0xD800 || c > 0xDFFF) text::append_utf8(out, c);
    }
  }

  std::mt19937 random_;
};

class ScannerTest : public testing::TestWithParam<size_t> {};

TEST_P(ScannerTest, cuts_random_text_as_the_regular_expression_does) {
  const Scanner& scanner = scanners()[GetParam()];
  const text::Regex regex = text::Regex::compile(scanner.pattern, "pattern").value();
  TextMaker maker(static_cast<uint32_t>(GetParam()) + 1);
  for (int i = 0; i < 20000; ++i) {
    const std::string text = maker.text();
    std::vector<Span> pieces;
    scanner.scan(text, {0, static_cast<uint32_t>(text.size())}, pieces);
    ASSERT_EQ(pieces, cut_with_regex(regex, text)) << scanner.pattern << "\n" << testing::PrintToString(text);
  }
}

TEST_P(ScannerTest, cuts_around_every_code_point_as_the_regular_expression_does) {
  const Scanner& scanner = scanners()[GetParam()];
  const text::Regex regex = text::Regex::compile(scanner.pattern, "pattern").value();
  std::string text;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    text += "a";
    text::append_utf8(text, c);
    text += (c & 1) != 0 ? "B" : " 1";
    if ((c & 0xFFF) != 0xFFF) continue;
    std::vector<Span> pieces;
    scanner.scan(text, {0, static_cast<uint32_t>(text.size())}, pieces);
    ASSERT_EQ(pieces, cut_with_regex(regex, text)) << scanner.pattern << " up to " << static_cast<uint32_t>(c);
    text.clear();
  }
}

TEST_P(ScannerTest, sees_nothing_outside_of_its_range) {
  const Scanner& scanner = scanners()[GetParam()];
  TextMaker maker(7);
  for (int i = 0; i < 2000; ++i) {
    const std::string before = maker.text(), text = maker.text(), after = maker.text();
    const auto offset = static_cast<uint32_t>(before.size());
    std::vector<Span> alone, within;
    scanner.scan(text, {0, static_cast<uint32_t>(text.size())}, alone);
    scanner.scan(before + text + after, {offset, offset + static_cast<uint32_t>(text.size())}, within);
    for (Span& span : within) span = {span.begin - offset, span.end - offset};
    ASSERT_EQ(alone, within) << testing::PrintToString(text);
  }
}

INSTANTIATE_TEST_SUITE_P(scanners, ScannerTest, testing::Range(size_t{0}, scanners().size()));

TEST(find_scanner, knows_patterns_by_their_exact_spelling) {
  EXPECT_NE(find_scanner(scanners()[0].pattern), nullptr);
  EXPECT_EQ(find_scanner(std::string(scanners()[0].pattern) + "|x"), nullptr);
}

}  // namespace
}  // namespace atelier::tokenize
