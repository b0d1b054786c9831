#include "atelier/generate/fill_mask.h"

#include <fmt/format.h>

#include <algorithm>

namespace atelier::generate {
namespace {

constexpr const char* kSpellings[] = {"<mask>", "[MASK]"};

// The text with the model's own spelling of the mask, and where it stands: only there it is a special token.
struct MaskedText {
  std::string text;
  std::vector<std::pair<size_t, size_t>> masks;
};

Result<int32_t> mask_id(const tokenize::Tokenizer& tokenizer) {
  for (const char* spelling : kSpellings) {
    if (const auto id = tokenizer.token_to_id(spelling); id && tokenizer.is_special(*id)) return *id;
  }
  return Status::unsupported("fill: this model's vocabulary has no <mask> and no [MASK]; use a model that was trained with one");
}

MaskedText spell_masks(const std::string& text, const std::string& spelling) {
  MaskedText out;
  for (size_t at = 0; at < text.size();) {
    const auto found =
        std::ranges::find_if(kSpellings, [&](const char* mask) { return std::string_view(text).substr(at).starts_with(mask); });
    if (found == std::end(kSpellings)) {
      out.text += text[at++];
      continue;
    }
    out.masks.emplace_back(out.text.size(), out.text.size() + spelling.size());
    out.text += spelling;
    at += std::string_view(*found).size();
  }
  return out;
}

}  // namespace

Result<MaskedInput> masked_input(const models::Model& model, const std::string& text) {
  if (!model.spec().has_language_head || !model.is_encoder()) {
    return Status::unsupported(
        fmt::format("fill: {} has no head for masked tokens; use a model of a class such as BertForMaskedLM", model.path()));
  }
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model.tokenizer());
  ATELIER_TRY(const int32_t mask, mask_id(*tokenizer));
  const MaskedText masked = spell_masks(text, tokenizer->id_to_token(mask));
  if (masked.masks.empty()) return Status::invalid("text: no <mask>, at least one is needed; write it where a token is to be found");
  MaskedInput out;
  ATELIER_TRY(out.input, models::encode_text(*tokenizer, masked.text, model.context(), {.trusted = &masked.masks}));
  for (size_t t = 0; t < out.input.ids.size(); ++t) {
    if (out.input.ids[t] == mask) out.rows.push_back(static_cast<int64_t>(t));
  }
  if (out.rows.size() != masked.masks.size()) {
    return Status::out_of_range(fmt::format("text: a <mask> lies behind the {} tokens that the model takes; shorten it", model.context()));
  }
  return out;
}

Result<std::vector<FilledMask>> fill_masks(models::Model& model, const MaskedInput& masked, int num_top) {
  const nn::RowRun run = models::run_of(masked.input);
  ATELIER_RETURN_IF_ERROR(model.run(masked.input.ids, std::span(&run, 1)));
  const std::span<const float> logits = model.logits(masked.rows);
  const auto V = static_cast<size_t>(model.spec().vocab_size);
  std::vector<FilledMask> filled;
  for (size_t i = 0; i < masked.rows.size(); ++i) {
    const auto values = logits.subspan(i * V, V);
    ATELIER_TRY(const double normaliser, log_normaliser(values));
    filled.push_back({masked.rows[i], report_token(values, normaliser, 0, num_top).top});
  }
  return filled;
}

}  // namespace atelier::generate
