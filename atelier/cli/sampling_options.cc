#include "atelier/cli/sampling_options.h"

#include <fmt/format.h>

#include <cmath>
#include <random>

#include "atelier/base/log.h"
#include "atelier/base/strings.h"
#include "atelier/generate/default_sampling.h"
#include "atelier/generate/dry_breakers.h"
#include "atelier/generate/sampler_chain.h"

namespace atelier::cli {
namespace {

constexpr Range<int64_t> kAnyCount = {0, int64_t{1} << 30};

}  // namespace

void SamplingArgs::declare(Args& args) {
  args.group("Sampling (docs/guide/sampling.md)");
  args.option("--temperature,--temp", temperature_, "T", "0 takes the likeliest token, above 1 is wilder (default: the model's, else 0.8)",
              {0, 1000});
  args.option("--top-k", top_k_, "K", "keep the K likeliest tokens; 0: off (default: the model's, else 40)", kAnyCount);
  args.option("--top-p", top_p_, "P", "keep the likeliest tokens up to this mass; 1: off (default: the model's, else 0.95)", {0, 1});
  args.option("--min-p", min_p_, "P", "keep tokens this likely beside the likeliest; 0: off (default: the model's, else 0.05)", {0, 1});
  args.option("--typical-p", typical_p_, "P", "keep tokens of about the expected surprise up to this mass; 1: off", {0, 1});
  args.option("--repetition-penalty,--repeat-penalty", repetition_penalty_, "X", "weaken tokens of prompt and answer; 1: off",
              {0.001, 1000});
  args.option("--presence-penalty", typed_.presence_penalty, "X", "subtract from tokens that occur in the answer", {-100, 100});
  args.option("--frequency-penalty", typed_.frequency_penalty, "X", "subtract per occurrence in the answer", {-100, 100});
  args.option("--penalty-window", typed_.penalty_window, "N", "latest tokens that the penalties look at; 0: all", kAnyCount);
  args.option("--dry-multiplier", typed_.dry_multiplier, "X", "weaken tokens that continue a repetition; 0: off", {0, 100});
  args.option("--dry-base", typed_.dry_base, "X", "growth of that with the repetition's length", {1, 100});
  args.option("--dry-allowed-length", typed_.dry_allowed_length, "N", "repetitions up to this length are free", {1, 1000});
  args.option("--dry-window", typed_.dry_window, "N", "latest tokens that DRY looks at; 0: all", kAnyCount);
  args.option("--dry-breaker", dry_breaker_texts_, "TEXT", "no repetition crosses it; repeatable (default: line break : \" *)");
  args.option("--logit-bias", logit_biases_, "ID=X", "add X to the logit of a token, -inf forbids it; repeatable");
}

Status SamplingArgs::add_logit_biases(generate::SamplingOptions& options) const {
  for (const std::string& text : logit_biases_) {
    const auto parts = split(text, '=');
    const auto id = parse_int(parts[0]);
    const double bias = parts.size() == 2 ? parse_double(parts[1]).value_or(NAN) : NAN;
    if (!id || *id < 0 || *id > INT32_MAX || std::isnan(bias) || bias == INFINITY) {
      return Status::invalid(
          fmt::format("--logit-bias: {}, must be a token id and a number such as 42=-1.5; see atelier tokenize", atelier::quoted(text)));
    }
    options.logit_bias.emplace_back(static_cast<int32_t>(*id), static_cast<float>(bias));
  }
  return {};
}

Result<generate::SamplingOptions> SamplingArgs::resolve(const models::Model& model, const Console& console, Defaults kind) {
  const generate::SamplingOptions defaults =
      kind == Defaults::kModel ? generate::default_sampling(model.defaults()) : generate::SamplingOptions{.temperature = 0};
  generate::SamplingOptions options = typed_;
  options.temperature = temperature_.value_or(defaults.temperature);
  options.top_k = top_k_.value_or(defaults.top_k);
  options.top_p = top_p_.value_or(defaults.top_p);
  options.min_p = min_p_.value_or(defaults.min_p);
  options.typical_p = typical_p_.value_or(1);
  options.repetition_penalty = repetition_penalty_.value_or(defaults.repetition_penalty);
  ATELIER_RETURN_IF_ERROR(add_logit_biases(options));
  if (const auto tokenizer = model.tokenizer(); options.dry_multiplier > 0 && tokenizer.ok()) {
    options.dry_breakers =
        generate::dry_breakers(**tokenizer, dry_breaker_texts_.empty() ? generate::usual_dry_breakers() : dry_breaker_texts_);
  }
  options.seed = console.seed ? static_cast<uint64_t>(*console.seed) : std::random_device{}();
  ATELIER_RETURN_IF_ERROR(generate::check_sampling_options(options));
  std::string chain;
  for (const generate::SamplerDef* sampler : generate::active_samplers(options)) chain += std::string(" ") + sampler->name;
  log(LogLevel::kDebug, fmt::format("seed {}, samplers:{}", options.seed, chain.empty() ? " none" : chain));
  return options;
}

}  // namespace atelier::cli
