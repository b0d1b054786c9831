// `atelier fill MODEL "Paris est la <mask> de la France."`: the likeliest tokens of each masked position.
#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <ostream>

#include "atelier/base/json.h"
#include "atelier/cli/encoder_options.h"
#include "atelier/generate/fill_mask.h"

namespace atelier::cli {
namespace {

struct FillArgs {
  EncoderOptions model;
  std::string text;
  int64_t top = 5;
};

// "▁Paris" and "ĠParis" as text.
std::string text_of(const tokenize::Tokenizer& tokenizer, int32_t id) {
  const Result<std::string> text = tokenizer.decode(std::span(&id, 1), /*skip_special=*/false);
  return text.ok() ? *text : tokenizer.id_to_token(id);
}

Json json_of(const generate::FilledMask& filled, const tokenize::Tokenizer& tokenizer) {
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

void print_text(const std::vector<generate::FilledMask>& all, const tokenize::Tokenizer& tokenizer, std::ostream& out) {
  for (const generate::FilledMask& filled : all) {
    out << fmt::format("position {}: probability, cross-entropy in nats\n", filled.position);
    for (const auto& [id, logprob] : filled.top) {
      out << fmt::format("  {:6.2f} %  {:7.4f}  {}\n", 100 * std::exp(logprob), -logprob, text_of(tokenizer, id));
    }
  }
}

Status run(const FillArgs& args, Console& console) {
  ATELIER_TRY(const auto model, args.model.load());
  ATELIER_TRY(const generate::MaskedInput masked, generate::masked_input(*model, args.text));
  ATELIER_TRY(const std::vector<generate::FilledMask> filled, generate::fill_masks(*model, masked, static_cast<int>(args.top)));
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model->tokenizer());
  if (!console.is_json) {
    print_text(filled, *tokenizer, console.out);
    return {};
  }
  Json masks = Json::array();
  for (const generate::FilledMask& one : filled) masks.push_back(json_of(one, *tokenizer));
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
