#include "atelier/metrics/answers.h"

#include <algorithm>
#include <map>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/base/strings.h"
#include "atelier/text/character_class.h"
#include "atelier/text/unicode.h"
#include "atelier/text/utf8.h"

namespace atelier::metrics {
namespace {

// Python's string.punctuation.
bool is_punctuation(char32_t c) { return c < 0x80 && text::is_ascii_or_unicode_punctuation(c); }

// Python's \w but for the underscore, which is punctuation.
bool is_word(char32_t c) { return (text::CharacterClasses::instance()(c) & (text::kLetter | text::kNumber)) != 0; }

bool is_article(std::u32string_view word) { return word == U"a" || word == U"an" || word == U"the"; }

// Words of lower-case text without punctuation.
std::vector<std::string> words_of(std::string_view text) {
  std::u32string clean;
  for (const char32_t c : text::to_code_points(text)) {
    if (!is_punctuation(c)) text::append_lower(clean, c);
  }
  std::vector<std::string> words(1);
  for (size_t i = 0; i < clean.size();) {
    size_t end = i;
    while (end < clean.size() && is_word(clean[end])) ++end;
    const bool is_dropped = is_article(std::u32string_view(clean).substr(i, end - i));
    const bool is_border = is_dropped || (end == i && text::is_white_space(clean[i]));
    if (is_border && !words.back().empty()) words.emplace_back();
    if (end == i) ++end;
    for (; i < end; ++i) {
      if (!is_border) text::append_utf8(words.back(), clean[i]);
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

double f1_of(const std::vector<std::string>& predicted, const std::vector<std::string>& expected) {
  std::map<std::string, int64_t> left;
  for (const std::string& word : expected) ++left[word];
  int64_t common = 0;
  for (const std::string& word : predicted) common += left[word]-- > 0;
  if (common == 0) return 0;
  return 2 * static_cast<double>(common) / static_cast<double>(predicted.size() + expected.size());
}

Status check(std::string_view text) {
  return text::is_valid_utf8(text) ? Status() : Status::corrupt("answer: is not valid UTF-8; save the file as UTF-8");
}

}  // namespace

Result<std::string> normalised_answer(std::string_view text) {
  ATELIER_RETURN_IF_ERROR(check(text));
  return join(words_of(text), " ");
}

Result<AnswerScore> answer_score(std::string_view predicted, std::span<const std::string> accepted) {
  ATELIER_CHECK(!accepted.empty());
  ATELIER_RETURN_IF_ERROR(check(predicted));
  const std::vector<std::string> found = words_of(predicted);
  AnswerScore best;
  for (const std::string& answer : accepted) {
    ATELIER_RETURN_IF_ERROR(check(answer));
    const std::vector<std::string> wanted = words_of(answer);
    if (found == wanted) best.exact_match = 1;
    best.f1 = std::max(best.f1, f1_of(found, wanted));
  }
  return best;
}

}  // namespace atelier::metrics
