#include "atelier/cli/beam_options.h"

namespace atelier::cli {

using generate::EarlyStopping;

void BeamArgs::declare(Args& args) {
  args.group("Beam search (docs/guide/beam-search.md)");
  args.option("--beam", options_.num_beams, "N", "write the N likeliest texts side by side and keep the best; 1: off", {1, 64});
  args.option("--length-penalty", options_.length_penalty, "X",
              "a text's score is its log-probability / length^X: above 0 favours long ones", {-100, 100});
  args.choice("--early-stopping", early_stopping_, {"no", "yes", "never"},
              "end when N texts are finished and none can become better (no; never: even if it grew long), or at once (yes)");
}

generate::BeamOptions BeamArgs::options() const {
  generate::BeamOptions options = options_;
  if (early_stopping_ == "yes") options.early_stopping = EarlyStopping::kYes;
  if (early_stopping_ == "never") options.early_stopping = EarlyStopping::kNever;
  return options;
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
