// The samplers' options, shared by the verbs that generate.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "atelier/cli/command.h"
#include "atelier/generate/sampler.h"
#include "atelier/models/model.h"

namespace atelier::cli {

class SamplingArgs {
 public:
  void declare(Args& args);

  // What was typed; for what was not, the model's own generation settings as a whole where it states any, else the house's:
  // temperature 0.8, top-k 40, top-p 0.95, min-p 0.05; kLikeliest stands for verbs and options that do not sample. Without --seed a random
  // one is drawn. The result points into this object.
  enum class Defaults { kModel, kLikeliest };
  Result<generate::SamplingOptions> resolve(const models::Model& model, const Console& console, Defaults defaults = Defaults::kModel);

 private:
  Status add_logit_biases(generate::SamplingOptions& options) const;

  std::optional<double> temperature_, top_p_, min_p_, typical_p_, repetition_penalty_;
  std::optional<int64_t> top_k_;
  generate::SamplingOptions typed_;  // those that no model states
  std::vector<std::string> logit_biases_, dry_breaker_texts_;
};

}  // namespace atelier::cli
