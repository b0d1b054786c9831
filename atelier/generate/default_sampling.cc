#include "atelier/generate/default_sampling.h"

namespace atelier::generate {

SamplingOptions default_sampling(const models::GenerationDefaults& model) {
  SamplingOptions options;
  options.repetition_penalty = model.repetition_penalty.value_or(1);
  if (!model.do_sample.value_or(!model.decoder_start.has_value())) {  // who has an encoder is not sampled unless it says so
    options.temperature = 0;
  } else if (model.temperature || model.top_k || model.top_p || model.min_p) {
    options.temperature = model.temperature.value_or(1);
    options.top_k = model.top_k.value_or(0);
    options.top_p = model.top_p.value_or(1);
    options.min_p = model.min_p.value_or(0);
  } else {
    options.temperature = 0.8;
    options.top_k = 40;
    options.top_p = 0.95;
    options.min_p = 0.05;
  }
  return options;
}

}  // namespace atelier::generate
