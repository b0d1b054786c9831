// `atelier fill MODEL "Paris est la <mask> de la France."`: the likeliest tokens of each masked position.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <ostream>

#include "atelier/base/json.h"
#include "atelier/cli/encoder_options.h"
#include "atelier/generate/logprobs.h"
#include "atelier/models/encoder_input.h"

namespace atelier::cli {
namespace {

constexpr const char* kSpellings[] = {"<mask>", "[MASK]"};

struct FillArgs {
  EncoderOptions model;
  std::string text;
  int64_t top = 5;
};

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
    const auto found = std::ranges::find_if(kSpellings, [&](const char* mask) { return text.substr(at).starts_with(mask); });
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

// "▁Paris" and "ĠParis" as text.
std::string text_of(const tokenize::Tokenizer& tokenizer, int32_t id) {
  const Result<std::string> text = tokenizer.decode(std::span(&id, 1), /*skip_special=*/false);
  return text.ok() ? *text : tokenizer.id_to_token(id);
}

struct Filled {
  int64_t position;
  std::vector<generate::TokenLogprob> top;
};

Json json_of(const Filled& filled, const tokenize::Tokenizer& tokenizer) {
  Json tokens = Json::array();
  for (const auto& [id, logprob] : filled.top) {
    tokens.push_back(Json::object()
                         .set("id", id)
                         .set("text", text_of(tokenizer, id))
                         .set("probability", std::exp(logprob))
                         .set("cross_entropy", -logprob));
  }
  return Json::object().set("position", filled.position).set("tokens", std::move(tokens));
}

void print_text(const std::vector<Filled>& all, const tokenize::Tokenizer& tokenizer, std::ostream& out) {
  for (const Filled& filled : all) {
    out << fmt::format("position {}: probability, cross-entropy in nats\n", filled.position);
    for (const auto& [id, logprob] : filled.top) {
      out << fmt::format("  {:6.2f} %  {:7.4f}  {}\n", 100 * std::exp(logprob), -logprob, text_of(tokenizer, id));
    }
  }
}

Status run(const FillArgs& args, Console& console) {
  ATELIER_TRY(const auto model, args.model.load());
  if (!model->spec().has_language_head || !model->is_encoder()) {
    return Status::unsupported(
        fmt::format("fill: {} has no head for masked tokens; use a model of a class such as BertForMaskedLM", args.model.model));
  }
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model->tokenizer());
  ATELIER_TRY(const int32_t mask, mask_id(*tokenizer));
  const MaskedText masked = spell_masks(args.text, tokenizer->id_to_token(mask));
  if (masked.masks.empty()) return Status::invalid("text: no <mask>, at least one is needed; write it where a token is to be found");
  ATELIER_TRY(const models::EncoderInput input, models::encode_text(*tokenizer, masked.text, model->context(), {.trusted = &masked.masks}));
  std::vector<int64_t> rows;
  for (size_t t = 0; t < input.ids.size(); ++t) {
    if (input.ids[t] == mask) rows.push_back(static_cast<int64_t>(t));
  }
  if (rows.size() != masked.masks.size()) {
    return Status::out_of_range(fmt::format("text: a <mask> lies behind the {} tokens that the model takes; shorten it", model->context()));
  }
  const nn::RowRun run = models::run_of(input);
  ATELIER_RETURN_IF_ERROR(model->run(input.ids, std::span(&run, 1)));
  const std::span<const float> logits = model->logits(rows);
  const auto V = static_cast<size_t>(model->spec().vocab_size);
  std::vector<Filled> filled;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto values = logits.subspan(i * V, V);
    ATELIER_TRY(const double normaliser, generate::log_normaliser(values));
    filled.push_back({rows[i], generate::report_token(values, normaliser, 0, static_cast<int>(args.top)).top});
  }
  if (!console.is_json) {
    print_text(filled, *tokenizer, console.out);
    return {};
  }
  Json masks = Json::array();
  for (const Filled& one : filled) masks.push_back(json_of(one, *tokenizer));
  console.out << Json::object().set("masks", std::move(masks)).dump() << "\n";
  return {};
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<FillArgs>();
  options->model.declare(args);
  args.group("Options");
  args.positional("TEXT", options->text, "a text with <mask> where a token is to be found");
  args.option("--top", options->top, "N", "how many tokens to show for each mask", {1, 1000});
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_fill;
const CommandDef command_fill = {"fill", "run", "the likeliest tokens of each <mask>",
                                 "atelier fill camembert-base \"Paris est la <mask> de la France.\" --top 5", declare};

}  // namespace atelier::cli
