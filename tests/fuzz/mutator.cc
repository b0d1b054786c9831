#include "tests/fuzz/mutator.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "atelier/base/rng.h"

namespace atelier::fuzz {
namespace {

constexpr size_t kMaxMutantBytes = 1 << 20;
constexpr size_t kHeaderBytes = 512;

constexpr std::array kWords = {"null",
                               "true",
                               "[]",
                               "{}",
                               "\"\"",
                               "[[[[[[[[",
                               "-1",
                               "0",
                               "1e999",
                               "1e308",
                               "NaN",
                               "3.5",
                               "4294967296",
                               "99999999",
                               "-2147483648",
                               "18446744073709551615",
                               "9223372036854775807",
                               "\\ud800",
                               "\\u0000",
                               "\xff",
                               "\xf4\x90\x80\x80",
                               "\xe2\x96\x81",
                               "{{",
                               "}}",
                               "{%",
                               "%}",
                               "{#",
                               "for x in x",
                               "range(99999999)",
                               "if",
                               "endfor",
                               "namespace(",
                               "|length",
                               "[::-1]",
                               "*99999",
                               "~",
                               "('a' * 9999)",
                               "(?:a+)+",
                               ".*",
                               "\\p{L}",
                               ","};

// Numbers for one mutant, drawn one after another.
class Dice {
 public:
  Dice(uint64_t seed, uint64_t run) : seed_(seed), run_(run) {}
  uint64_t bits() { return random_bits(seed_, run_, position_++); }
  size_t below(size_t limit) { return limit == 0 ? 0 : static_cast<size_t>(bits() % limit); }

 private:
  uint64_t seed_, run_;
  uint64_t position_ = 0;
};

size_t place(Dice& dice, const std::string& text) {
  const bool in_header = dice.below(2) == 0;
  return dice.below(in_header ? std::min(text.size(), kHeaderBytes) : text.size());
}

void flip_bit(Dice& dice, std::string& text) { text[place(dice, text)] ^= static_cast<char>(1 << dice.below(8)); }
void set_byte(Dice& dice, std::string& text) { text[place(dice, text)] = static_cast<char>(dice.bits()); }

// An integer of 1, 2, 4 or 8 bytes becomes one that readers trip over.
void set_integer(Dice& dice, std::string& text) {
  const size_t width = size_t{1} << dice.below(4);
  if (text.size() < width) return;
  const size_t at = std::min(place(dice, text), text.size() - width);
  uint64_t value = 0;
  std::memcpy(&value, text.data() + at, width);
  switch (dice.below(7)) {
    case 0:
      value = dice.below(3);
      break;
    case 1:
      value = ~uint64_t{0} - dice.below(3);
      break;
    case 2:
      value = uint64_t{1} << dice.below(64);
      break;
    case 3:
      value = (uint64_t{1} << dice.below(64)) - 1;
      break;
    case 4:
      value = text.size() + dice.below(65) - 32;
      break;
    case 5:
      value += dice.below(9) - 4;
      break;
    default:
      value = dice.bits() >> dice.below(64);
      break;
  }
  std::memcpy(text.data() + at, &value, width);
}

void cut_end(Dice& dice, std::string& text) { text.resize(dice.below(text.size())); }
void erase_part(Dice& dice, std::string& text) {
  const size_t at = place(dice, text);
  text.erase(at, 1 + dice.below(std::min<size_t>(text.size() - at, 64)));
}
void repeat_part(Dice& dice, std::string& text) {
  const size_t at = place(dice, text);
  const std::string part = text.substr(at, 1 + dice.below(64));
  const size_t times = dice.below(16) == 0 ? 1000 : 1 + dice.below(4);
  std::string repeated;
  for (size_t i = 0; i < times; ++i) repeated += part;
  text.insert(at, repeated);
}
void insert_bytes(Dice& dice, std::string& text) {
  std::string bytes(1 + dice.below(16), '\0');
  for (char& c : bytes) c = static_cast<char>(dice.bits());
  text.insert(place(dice, text), bytes);
}
void insert_word(Dice& dice, std::string& text) { text.insert(place(dice, text), kWords[dice.below(kWords.size())]); }

// The next run of digits becomes another number.
void change_number(Dice& dice, std::string& text) {
  const size_t at = text.find_first_of("0123456789", place(dice, text));
  if (at == std::string::npos) return;
  const size_t end = std::min(text.find_first_not_of("0123456789", at), text.size());
  static constexpr std::array kNumbers = {"0", "1", "-1", "2147483648", "99999999999999999999", "0.5", "1e400", "null"};
  text.replace(at, end - at, kNumbers[dice.below(kNumbers.size())]);
}

void exchange_part(Dice& dice, std::string& text, const std::string& other) {
  if (other.empty()) return;
  const size_t from = dice.below(other.size()), at = place(dice, text);
  text.replace(at, dice.below(64), other, from, 1 + dice.below(128));
}

void change(Dice& dice, std::string& text, const std::string& other) {
  if (text.empty()) text = other.substr(0, 64) + " ";
  switch (dice.below(16)) {
    case 0:
      return flip_bit(dice, text);
    case 1:
      return set_byte(dice, text);
    case 2:
    case 3:
    case 4:
    case 5:
      return set_integer(dice, text);
    case 6:
      return cut_end(dice, text);
    case 7:
    case 8:
      return erase_part(dice, text);
    case 9:
      return repeat_part(dice, text);
    case 10:
      return insert_bytes(dice, text);
    case 11:
    case 12:
      return insert_word(dice, text);
    case 13:
    case 14:
      return change_number(dice, text);
    default:
      return exchange_part(dice, text, other);
  }
}

}  // namespace

std::string Mutator::mutant(uint64_t seed, uint64_t run) const {
  Dice dice(seed, run);
  std::string text = seeds_[dice.below(seeds_.size())];
  const size_t num_changes = 1 + dice.below(dice.below(4) == 0 ? 12 : 3);
  for (size_t i = 0; i < num_changes; ++i) {
    change(dice, text, seeds_[dice.below(seeds_.size())]);
    if (text.size() > kMaxMutantBytes) text.resize(kMaxMutantBytes);
  }
  return text;
}

}  // namespace atelier::fuzz
