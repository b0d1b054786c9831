#include "atelier/tokenize/normalizers/unicode.h"

#include "atelier/text/utf8.h"

namespace atelier::tokenize {
namespace {

class UnicodeNormalizer : public Normalizer {
 public:
  explicit UnicodeNormalizer(text::NormalForm form) : form_(form) {}
  Status apply(AlignedText& text) const override { return apply_normal_form(text, form_), Status{}; }
  LineCut at_line_cut() const override { return LineCut::kStable; }  // a line end composes with nothing and stays in its place

 private:
  text::NormalForm form_;
};

}  // namespace

std::unique_ptr<Normalizer> unicode_normalizer(text::NormalForm form) { return std::make_unique<UnicodeNormalizer>(form); }

void apply_normal_form(AlignedText& text, text::NormalForm form) {
  if (text::is_normalized(text.text(), form)) return;
  AlignedText out = text.start_rewrite(text.size());
  for (const text::SourcedCharacter& c : text::normalize(text.text(), form)) {
    out.append_for(text::to_utf8(c.value), text, c.begin, c.end);
  }
  text = std::move(out);
}

}  // namespace atelier::tokenize
