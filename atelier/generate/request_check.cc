#include "atelier/generate/request_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "atelier/base/strings.h"
#include "atelier/generate/sampler_chain.h"

namespace atelier::generate {

Status check_request(const Request& request, const models::Model& model, int64_t context) {
  ATELIER_RETURN_IF_ERROR(check_sampling_options(request.options.sampling));
  if (request.prompt.empty()) return Status::invalid("prompt: 0 tokens, at least 1 is needed; give some text");
  const auto length = static_cast<int64_t>(request.prompt.size());
  if (length >= context) {
    return Status::out_of_range(fmt::format("prompt: {} tokens, the context of {} must hold it and one more; shorten it or raise {}",
                                            length, context, context < model.context() ? "the KV memory" : "--context"));
  }
  const auto in_vocabulary = [&](int32_t id) { return id >= 0 && id < model.spec().vocab_size; };
  if (const auto bad = std::find_if_not(request.prompt.begin(), request.prompt.end(), in_vocabulary); bad != request.prompt.end()) {
    return Status::invalid(
        fmt::format("prompt: token id {} is outside the vocabulary of {}; use the model's tokenizer", *bad, model.spec().vocab_size));
  }
  for (const auto& [id, bias] : request.options.sampling.logit_bias) {
    if (!in_vocabulary(id)) {
      return Status::invalid(
          fmt::format("logit bias: token id {} is outside the vocabulary of {}; see atelier tokenize", id, model.spec().vocab_size));
    }
  }
  if (!model.tokenizer().ok() && !request.options.stop_strings.empty()) {
    return Status::invalid("stop strings: given, but the model has no tokenizer; use stop ids");
  }
  if (!request.adapter.id.empty()) {
    return Status::not_found(fmt::format("adapter: {}, none is loaded; leave it out", quoted(request.adapter.id)));
  }
  return {};
}

}  // namespace atelier::generate
