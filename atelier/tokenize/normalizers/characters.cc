#include "atelier/tokenize/normalizers/characters.h"

#include "atelier/text/unicode.h"
#include "atelier/text/utf8.h"
#include "atelier/tokenize/normalizers/unicode.h"

namespace atelier::tokenize {
namespace {

using Rewrite = void (*)(char32_t, std::u32string&);

void lower(char32_t c, std::u32string& out) { text::append_lower(out, c); }

void drop_marks(char32_t c, std::u32string& out) {
  if (!text::is_mark(c)) out += c;
}

void drop_nonspacing_marks(char32_t c, std::u32string& out) {
  if (!text::is_nonspacing_mark(c)) out += c;
}

bool is_nmt_control(char32_t c) {
  return (c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F;
}

bool is_nmt_space(char32_t c) {
  switch (c) {
    case 0x09:
    case 0x0A:
    case 0x0C:
    case 0x0D:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x2581:
    case 0xFEFF:
    case 0xFFFD:
      return true;
    default:
      return c >= 0x200B && c <= 0x200F;
  }
}

void clean_nmt(char32_t c, std::u32string& out) {
  if (!is_nmt_control(c)) out += is_nmt_space(c) ? U' ' : c;
}

void clean_bert(char32_t c, std::u32string& out) {
  const bool is_layout = c == '\t' || c == '\n' || c == '\r';
  if (c == 0 || c == text::kReplacement || (!is_layout && text::is_other(c))) return;
  out += is_layout || text::is_white_space(c) ? U' ' : c;
}

// BERT's ranges as the reference has them: 2B920 is its spelling of 2B820.
bool is_bert_ideograph(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

void set_ideographs_apart(char32_t c, std::u32string& out) {
  if (is_bert_ideograph(c)) {
    out += {U' ', c, U' '};
  } else {
    out += c;
  }
}

void rewrite_with(AlignedText& text, Rewrite rewrite) {
  rewrite_characters(text, [rewrite](char32_t c, std::u32string& out) { rewrite(c, out); });
}

class CharacterNormalizer : public Normalizer {
 public:
  explicit CharacterNormalizer(Rewrite rewrite) : rewrite_(rewrite) {}
  Status apply(AlignedText& text) const override {
    rewrite_with(text, rewrite_);
    return {};
  }

 private:
  Rewrite rewrite_;
};

// One pass: ASCII by a table, other characters run by run. ASCII characters neither compose nor change places with what stands beside
// them, so that the runs between them can be normalized alone; within a run of common characters each can, too.
class BertNormalizer : public Normalizer {
 public:
  explicit BertNormalizer(const BertNormalizerOptions& options) : options_(options) {
    for (char32_t c = 0; c < ascii_.to.size(); ++c) {
      std::u32string out(1, c);
      if (options.clean_text) out.clear(), clean_bert(c, out);
      if (options.lowercase && !out.empty()) out = lower_of(out[0]);
      ascii_.to[c] = out.empty() ? AsciiRewrite::kRemoved : static_cast<unsigned char>(out[0]);
    }
    for (char32_t c = kFirstCommon; c < kEndCommon; ++c) common_.push_back(rewrite_alone(c));
  }

  Status apply(AlignedText& text) const override {
    const std::string_view bytes = text.text();
    AlignedText out = text.start_rewrite(text.size() + text.size() / 16);
    for (size_t i = 0; i < bytes.size();) {
      const size_t ascii_end = text::ascii_end(bytes, i);
      out.append_rewritten(text, i, ascii_end, ascii_);
      i = ascii_end;
      while (i < bytes.size() && text::utf8_length(bytes[i]) > 1) i += text::utf8_length(bytes[i]);
      rewrite_run(text, ascii_end, i, out);
    }
    text = std::move(out);
    return {};
  }
  LineCut at_line_cut() const override { return options_.clean_text ? LineCut::kSpaced : LineCut::kStable; }

 private:
  // Latin to Cyrillic, with combining marks: scripts in which every mark that the rewriting keeps has combining class 0.
  static constexpr char32_t kFirstCommon = 0x80, kEndCommon = 0x530;

  static std::u32string lower_of(char32_t c) {
    std::u32string out;
    lower(c, out);
    return out;
  }

  std::string rewrite_alone(char32_t c) const {
    const std::string bytes = text::to_utf8(c);
    AlignedText text = AlignedText::from_input(bytes, Alignment::kBeginning);
    rewrite_any(text);
    return std::string(text.text());
  }

  void rewrite_run(const AlignedText& text, size_t begin, size_t end, AlignedText& out) const {
    if (begin == end) return;
    const std::string_view bytes = text.text();
    size_t length = 0;
    for (size_t i = begin; i < end; i += length) {
      if (text::decode_utf8(bytes, i, length) >= kEndCommon) {
        AlignedText run = text.slice(begin, end);
        rewrite_any(run);
        out.append(run, 0, run.size());
        return;
      }
    }
    for (size_t i = begin; i < end; i += length) {
      const std::string& rewritten = common_[text::decode_utf8(bytes, i, length) - kFirstCommon];
      out.append_for(rewritten, text, i, i + length);
    }
  }

  void rewrite_any(AlignedText& text) const {
    if (options_.clean_text) rewrite_with(text, clean_bert);
    if (options_.handle_chinese_chars) rewrite_with(text, set_ideographs_apart);
    if (options_.strip_accents) {
      apply_normal_form(text, text::NormalForm::kNfd);
      rewrite_with(text, drop_nonspacing_marks);
    }
    if (options_.lowercase) rewrite_with(text, lower);
  }

  BertNormalizerOptions options_;
  AsciiRewrite ascii_;
  std::vector<std::string> common_;  // from kFirstCommon on
};

}  // namespace

void rewrite_characters(AlignedText& text, FunctionRef<void(char32_t, std::u32string&)> rewrite) {
  AlignedText out = text.start_rewrite(text.size());
  std::u32string characters;
  std::string bytes;
  for (size_t i = 0, length = 0; i < text.size(); i += length) {
    characters.clear();
    bytes.clear();
    rewrite(text::decode_utf8(text.text(), i, length), characters);
    for (const char32_t c : characters) text::append_utf8(bytes, c);
    out.append_for(bytes, text, i, i + length);
  }
  text = std::move(out);
}

std::unique_ptr<Normalizer> bert_normalizer(const BertNormalizerOptions& options) { return std::make_unique<BertNormalizer>(options); }
std::unique_ptr<Normalizer> lowercase_normalizer() { return std::make_unique<CharacterNormalizer>(lower); }
std::unique_ptr<Normalizer> strip_accents_normalizer() { return std::make_unique<CharacterNormalizer>(drop_marks); }
std::unique_ptr<Normalizer> nmt_normalizer() { return std::make_unique<CharacterNormalizer>(clean_nmt); }

}  // namespace atelier::tokenize
