#include "atelier/cli/beam_options.h"

namespace atelier::cli {

using generate::EarlyStopping;

void BeamArgs::declare(Args& args) {
  args.group("Beam search (docs/guide/beam-search.md)");
  args.option("--beam", num_beams_, "N", "write the N likeliest texts side by side and keep the best; 1: off", {1, 64});
  args.option("--length-penalty", length_penalty_, "X",
              "a text's score is its log-probability / length^X: above 0 favours long ones (default: 1)", {-100, 100});
  args.choice("--length-normal", length_normal_, {"length", "gnmt"}, "what is raised to X: the length, or GNMT's (5 + length) / 6");
  args.choice("--early-stopping", early_stopping_, {"auto", "no", "yes", "never"},
              "end when N texts are finished and none can become better (no; never: even if it grew long), or at once (yes)");
}

generate::BeamOptions BeamArgs::options(const generate::BeamOptions& defaults) const {
  generate::BeamOptions options = defaults;
  options.num_beams = num_beams_.value_or(defaults.num_beams);
  options.length_penalty = length_penalty_.value_or(defaults.length_penalty);
  if (length_normal_ == "gnmt") options.length_normal = generate::LengthNormal::kGnmt;
  if (early_stopping_ == "no") options.early_stopping = EarlyStopping::kNo;
  if (early_stopping_ == "yes") options.early_stopping = EarlyStopping::kYes;
  if (early_stopping_ == "never") options.early_stopping = EarlyStopping::kNever;
  return options;
}

void RuleArgs::declare(Args& args) {
  constexpr Range<int64_t> kIds = {0, INT32_MAX};
  args.group("Rules (docs/guide/translate.md)");
  args.option("--no-repeat-ngram", no_repeat_ngram_, "N", "never say the same N tokens in a row twice; 0: off", {0, 1 << 20});
  args.option("--min-tokens", min_tokens_, "N", "do not end before N tokens", {0, 1 << 30});
  args.option("--forced-first", forced_first_, "ID", "begin the answer with this token: a language's, where a model has some", kIds);
  args.option("--forced-last", forced_last_, "ID", "end an answer of --max-tokens with this token", kIds);
}

generate::TokenRules RuleArgs::rules(const generate::TokenRules& defaults) const {
  generate::TokenRules rules = defaults;
  rules.no_repeat_ngram = no_repeat_ngram_.value_or(defaults.no_repeat_ngram);
  rules.min_tokens = min_tokens_.value_or(defaults.min_tokens);
  if (forced_first_) rules.forced_first = static_cast<int32_t>(*forced_first_);
  if (forced_last_) rules.forced_last = static_cast<int32_t>(*forced_last_);
  return rules;
}

Json beams_json(const std::vector<generate::Beam>& beams) {
  Json array = Json::array();
  for (const generate::Beam& beam : beams) {
    Json ids = Json::array();
    for (const int32_t id : beam.ids) ids.push_back(id);
    Json entry = Json::object().set("text", beam.text).set("ids", std::move(ids)).set("score", beam.score);
    array.push_back(std::move(entry.set("finish_reason", generate::finish_reason_name(beam.finish))));
  }
  return array;
}

}  // namespace atelier::cli
