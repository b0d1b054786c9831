// The options of the generation engine, shared by the verbs that generate.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "atelier/cli/model_options.h"
#include "atelier/generate/engine.h"

namespace atelier::cli {

class EngineArgs {
 public:
  void declare(Args& args);

  bool has_draft() const { return draft_.has_value(); }

  // An engine for `max_sequences` requests of `max_beams` beams at a time on `model`, which must outlive it; `model_options` also say how a
  // draft model is loaded.
  Result<std::unique_ptr<generate::Engine>> create(models::Model& model, const ModelOptions& model_options, int64_t max_sequences,
                                                   int64_t max_beams = 1);
  // Memory of the model's weights and of the keys and values of such an engine.
  Result<int64_t> planned_bytes(const models::Model& model, int64_t max_sequences) const;

 private:
  Result<int64_t> kv_bytes() const;  // 0: what the contexts need

  std::string speculate_ = "none";
  std::optional<std::string> draft_, kv_memory_;
  int64_t num_draft_ = 8;
  std::unique_ptr<models::Model> draft_model_;
};

}  // namespace atelier::cli
