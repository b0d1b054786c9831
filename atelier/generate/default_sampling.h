// How a model is sampled when nobody says: its own generation settings as a whole where it states any, else the house's (temperature 0.8,
// top-k 40, top-p 0.95, min-p 0.05).
#pragma once

#include "atelier/generate/sampler.h"
#include "atelier/models/model.h"

namespace atelier::generate {

SamplingOptions default_sampling(const models::GenerationDefaults& model);

}  // namespace atelier::generate
