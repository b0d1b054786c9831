#include "atelier/generate/model_sequence.h"

namespace atelier::generate {

Result<std::unique_ptr<ModelSequence>> ModelSequence::create(models::Model& model, int64_t context) {
  ATELIER_TRY(nn::KvCache cache, model.new_cache(context));
  return std::unique_ptr<ModelSequence>(new ModelSequence(model, std::move(cache)));
}

}  // namespace atelier::generate
