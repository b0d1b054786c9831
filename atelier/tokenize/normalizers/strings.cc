#include "atelier/tokenize/normalizers/strings.h"

#include <array>

#include "atelier/text/unicode.h"
#include "atelier/text/utf8.h"
#include "atelier/tokenize/byte_trie.h"
#include "atelier/tokenize/pre_tokenizers/byte_level.h"

namespace atelier::tokenize {
namespace {

class ReplaceNormalizer : public Normalizer {
 public:
  ReplaceNormalizer(std::string from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}

  Status apply(AlignedText& text) const override {
    if (from_.empty()) return {};
    size_t at = text.text().find(from_);
    if (at == std::string::npos) return {};
    AlignedText out = text.start_rewrite(text.size());
    size_t done = 0;
    for (; at != std::string::npos; at = text.text().find(from_, done)) {
      out.append(text, done, at);
      done = at + from_.size();
      out.append_for(to_, text, at, done);
    }
    out.append(text, done, text.size());
    text = std::move(out);
    return {};
  }

 private:
  std::string from_, to_;
};

class ReplaceRegexNormalizer : public Normalizer {
 public:
  ReplaceRegexNormalizer(text::Regex from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}

  Status apply(AlignedText& text) const override {
    AlignedText out = text.start_rewrite(text.size());
    size_t done = 0;
    ATELIER_RETURN_IF_ERROR(from_.find_all(text.text(), [&](size_t begin, size_t end) {
      out.append(text, done, begin);
      out.append_for(to_, text, begin, end);
      done = end;
    }));
    out.append(text, done, text.size());
    text = std::move(out);
    return {};
  }

 private:
  text::Regex from_;
  std::string to_;
};

class PrependNormalizer : public Normalizer {
 public:
  explicit PrependNormalizer(std::string prefix) : prefix_(std::move(prefix)) {}

  Status apply(AlignedText& text) const override {
    if (text.empty()) return {};
    AlignedText out = text.start_rewrite(text.size() + prefix_.size());
    out.append_for(prefix_, text, 0, text::utf8_length(text.text()[0]));
    out.append(text, 0, text.size());
    text = std::move(out);
    return {};
  }

 private:
  std::string prefix_;
};

class StripNormalizer : public Normalizer {
 public:
  StripNormalizer(bool left, bool right) : left_(left), right_(right) {}

  Status apply(AlignedText& text) const override {
    const std::string_view bytes = text.text();
    size_t begin = 0, end = bytes.size(), length = 0;
    while (left_ && begin < end && text::is_white_space(text::decode_utf8(bytes, begin, length))) begin += length;
    while (right_ && end > begin) {
      const size_t before = text::previous_character(bytes, end);
      if (!text::is_white_space(text::decode_utf8(bytes, before, length))) break;
      end = before;
    }
    if (begin > 0 || end < bytes.size()) text = text.slice(begin, end);
    return {};
  }

 private:
  bool left_, right_;
};

class StripSuffixNormalizer : public Normalizer {
 public:
  explicit StripSuffixNormalizer(std::string suffix) : suffix_(std::move(suffix)) {}

  Status apply(AlignedText& text) const override {
    std::string_view kept = text.text();
    while (!suffix_.empty() && kept.ends_with(suffix_)) kept.remove_suffix(suffix_.size());
    if (kept.size() < text.size()) text = text.slice(0, kept.size());
    return {};
  }

 private:
  std::string suffix_;
};

class ByteLevelNormalizer : public Normalizer {
 public:
  Status apply(AlignedText& text) const override {
    AlignedText out = text.start_rewrite(text.size() + text.size() / 4);
    append_byte_level(text, {0, static_cast<uint32_t>(text.size())}, out);
    text = std::move(out);
    return {};
  }
};

class PrecompiledNormalizer : public Normalizer {
 public:
  PrecompiledNormalizer(CharsMap map, CharsMapReading reading, const std::vector<std::string>& kept)
      : map_(std::move(map)), reading_(reading), kept_(entries_of(kept)) {
    for (unsigned char c = 0; c < 0x80; ++c) {
      const bool begins_kept_text = kept_.step(ByteTrie::kRoot, c) != ByteTrie::kRoot;
      is_plain_[c] = c != '\r' && c != '\n' && !begins_kept_text && !begins_ascii_entry(static_cast<char>(c));
    }
  }

  Status apply(AlignedText& text) const override {
    AlignedText out = text.start_rewrite(text.size());
    const std::string_view bytes = text.text();
    for (size_t begin = 0; begin < bytes.size();) {
      size_t end = begin;
      while (end < bytes.size() && stays(bytes, end)) ++end;
      if (out.empty() && begin < end && reading_ == CharsMapReading::kHuggingFace) {
        append_first(bytes.substr(begin, 1), text, begin, begin + 1, out);
        ++begin;
      }
      out.append(text, begin, end);
      begin = end;
      while (end < bytes.size() && !stays(bytes, end)) ++end;
      if (reading_ == CharsMapReading::kSentencePiece) {
        begin = replace_longest(text, begin, end, out);
      } else {
        replace_by_grapheme(text, begin, end, out);
        begin = end;
      }
    }
    text = std::move(out);
    return {};
  }

 private:
  // Whether an entry is `c`, or `c` and another ASCII character first.
  bool begins_ascii_entry(char c) const {
    for (unsigned char next = 0; next < 0x80; ++next) {
      const char pair[] = {c, static_cast<char>(next)};
      if (map_.longest_prefix({pair, 2})) return true;
    }
    return false;
  }

  // An ASCII character that begins no entry and no kept text, between ASCII characters: a grapheme of its own that nothing replaces.
  bool stays(std::string_view bytes, size_t at) const {
    const auto is_ascii = [&](size_t i) { return static_cast<unsigned char>(bytes[i]) < 0x80; };
    return is_ascii(at) && is_plain_[static_cast<unsigned char>(bytes[at])] && (at == 0 || is_ascii(at - 1)) &&
           (at + 1 == bytes.size() || is_ascii(at + 1));
  }

  // The end of what it replaced: `end`, or beyond it where an entry or a kept text reaches further.
  size_t replace_longest(const AlignedText& text, size_t begin, size_t end, AlignedText& out) const {
    const std::string_view bytes = text.text();
    size_t i = begin;
    while (i < end) {
      if (const size_t kept = kept_length(bytes.substr(i)); kept > 0) {
        out.append(text, i, i + kept);
        i += kept;
        continue;
      }
      const auto match = map_.longest_prefix(bytes.substr(i));
      const size_t length = match ? match->length : text::utf8_length(bytes[i]);
      if (match) {
        out.append_for(match->replacement, text, i, i + length);
      } else {
        out.append(text, i, i + length);
      }
      i += length;
    }
    return i;
  }

  // What vanishes at the very start belongs to the character that comes to stand there, which so keeps being the first: pre-tokenizers
  // that treat the first piece otherwise see it as Hugging Face's do.
  void replace_by_grapheme(const AlignedText& text, size_t first, size_t last, AlignedText& out) const {
    if (first == last) return;
    constexpr size_t kMaxWholeBytes = 5;
    const std::string_view bytes = text.text();
    const std::vector<size_t> borders = text::grapheme_borders(bytes.substr(first, last - first));
    for (size_t i = 0; i + 1 < borders.size(); ++i) {
      const size_t begin = first + borders[i], end = first + borders[i + 1];
      if (end - begin <= kMaxWholeBytes && replace_part(text, begin, end, out)) continue;
      for (size_t at = begin; at < end;) {
        const size_t length = text::utf8_length(bytes[at]);
        if (!replace_part(text, at, at + length, out)) append_first(bytes.substr(at, length), text, at, at + length, out);
        at += length;
      }
    }
  }

  bool replace_part(const AlignedText& text, size_t begin, size_t end, AlignedText& out) const {
    const auto match = map_.shortest_prefix(text.text().substr(begin, end - begin));
    if (match) append_first(match->replacement, text, begin, end, out);
    return match.has_value();
  }

  static void append_first(std::string_view bytes, const AlignedText& text, size_t begin, size_t end, AlignedText& out) {
    out.append_for(bytes, text, out.empty() ? 0 : begin, end);
  }

  static std::vector<std::pair<std::string_view, int32_t>> entries_of(const std::vector<std::string>& texts) {
    std::vector<std::pair<std::string_view, int32_t>> entries;
    for (const std::string& text : texts) {
      if (!text.empty()) entries.emplace_back(text, 0);
    }
    return entries;
  }

  // Bytes of the longest kept text that `bytes` begins with, or 0.
  size_t kept_length(std::string_view bytes) const {
    size_t longest = 0;
    ByteTrie::Node node = ByteTrie::kRoot;
    for (size_t i = 0; i < bytes.size(); ++i) {
      node = kept_.step(node, static_cast<unsigned char>(bytes[i]));
      if (node == ByteTrie::kRoot) break;
      if (kept_.value(node) != ByteTrie::kNoValue) longest = i + 1;
    }
    return longest;
  }

  CharsMap map_;
  CharsMapReading reading_;
  ByteTrie kept_;
  std::array<bool, 128> is_plain_;
};

class CollapseSpacesNormalizer : public Normalizer {
 public:
  Status apply(AlignedText& text) const override {
    AlignedText out = text.start_rewrite(text.size());
    const std::string_view bytes = text.text();
    for (size_t i = 0; i < bytes.size();) {
      if (bytes[i] != ' ') {
        const size_t end = std::min(bytes.find(' ', i), bytes.size());
        out.append(text, i, end);
        i = end;
        continue;
      }
      size_t end = i;
      while (end < bytes.size() && bytes[end] == ' ') ++end;
      if (i > 0 && end < bytes.size()) out.append_for(" ", text, i, end);
      i = end;
    }
    text = std::move(out);
    return {};
  }
};

}  // namespace

std::unique_ptr<Normalizer> replace_normalizer(std::string from, std::string to) {
  return std::make_unique<ReplaceNormalizer>(std::move(from), std::move(to));
}
std::unique_ptr<Normalizer> replace_regex_normalizer(text::Regex from, std::string to) {
  return std::make_unique<ReplaceRegexNormalizer>(std::move(from), std::move(to));
}
std::unique_ptr<Normalizer> prepend_normalizer(std::string prefix) { return std::make_unique<PrependNormalizer>(std::move(prefix)); }
std::unique_ptr<Normalizer> strip_normalizer(bool left, bool right) { return std::make_unique<StripNormalizer>(left, right); }
std::unique_ptr<Normalizer> strip_suffix_normalizer(std::string suffix) {
  return std::make_unique<StripSuffixNormalizer>(std::move(suffix));
}
std::unique_ptr<Normalizer> byte_level_normalizer() { return std::make_unique<ByteLevelNormalizer>(); }
std::unique_ptr<Normalizer> precompiled_normalizer(CharsMap map, CharsMapReading reading, const std::vector<std::string>& kept) {
  return std::make_unique<PrecompiledNormalizer>(std::move(map), reading, kept);
}
std::unique_ptr<Normalizer> collapse_spaces_normalizer() { return std::make_unique<CollapseSpacesNormalizer>(); }

}  // namespace atelier::tokenize
