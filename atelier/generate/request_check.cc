#include "atelier/generate/request_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "atelier/base/strings.h"
#include "atelier/generate/sampler_chain.h"

namespace atelier::generate {
namespace {

constexpr int64_t kMaxBeams = 64;

Status check_beams(const GenerateOptions& options, const GenerateHooks& hooks) {
  const BeamOptions& beams = options.beams;
  if (beams.num_beams < 1 || beams.num_beams > kMaxBeams) {
    return Status::out_of_range(fmt::format("beam search: {} beams, must be 1 to {}; correct it", beams.num_beams, kMaxBeams));
  }
  if (beams.num_beams == 1) return {};
  if (!(std::abs(beams.length_penalty) <= 100)) {
    return Status::out_of_range(fmt::format("length penalty: {}, must be -100 to 100; 1 is usual", beams.length_penalty));
  }
  const auto refused = [](const char* what) {
    return Status::invalid(fmt::format("beam search: {}, which beams have no use for; leave one of the two out", what));
  };
  if (options.max_tokens == 0) return refused("given with an answer of 0 tokens");
  if (!options.stop_strings.empty()) return refused("given with stop strings");
  if (options.mask) return refused("given with a token mask");
  if (hooks.on_token) return refused("given with reports of each token");
  if (options.sampling.temperature != 0 || !active_samplers(options.sampling).empty()) return refused("given with samplers");
  return {};
}

}  // namespace

Status check_request(const Request& request, const models::Model& model, int64_t context) {
  ATELIER_RETURN_IF_ERROR(check_sampling_options(request.options.sampling));
  ATELIER_RETURN_IF_ERROR(check_beams(request.options, request.hooks));
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
  return {};
}

}  // namespace atelier::generate
