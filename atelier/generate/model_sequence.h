// One sequence of a loaded model with its own KV cache.
#pragma once

#include <memory>

#include "atelier/generate/sequence_model.h"
#include "atelier/models/model.h"

namespace atelier::generate {

class ModelSequence : public SequenceModel {
 public:
  // `context` 0: the model's planned context. The model must outlive the sequence.
  static Result<std::unique_ptr<ModelSequence>> create(models::Model& model, int64_t context = 0);

  int64_t context() const override { return cache_.context(); }
  int64_t length() const override { return cache_.length(); }
  void truncate(int64_t length) override { cache_.truncate(length); }
  Result<std::span<const float>> forward(std::span<const int32_t> ids, int64_t num_logits) override {
    return model_.forward(ids, cache_, num_logits);
  }

 private:
  ModelSequence(models::Model& model, nn::KvCache cache) : model_(model), cache_(std::move(cache)) {}
  models::Model& model_;
  nn::KvCache cache_;
};

}  // namespace atelier::generate
