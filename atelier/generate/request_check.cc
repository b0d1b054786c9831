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

// Of a decoder with an encoder: what its encoder is to read, and what its answer stands behind.
Status check_source(const Request& request, const models::Model& model, int64_t context) {
  const auto length = std::ssize(request.prompt);
  if (length > model.max_source()) {
    return Status::out_of_range(
        fmt::format("source: {} tokens, the encoder reads {} at most; cut it into shorter texts", length, model.max_source()));
  }
  const std::vector<int32_t>& start = request.options.decoder_prompt;
  if (start.empty() && !model.defaults().decoder_start) {
    return Status::invalid(
        "decoder start: the model's files state no decoder_start_token_id and none is given, one is needed; give the decoder a prompt");
  }
  if (std::ssize(start) >= context) {
    return Status::out_of_range(
        fmt::format("decoder prompt: {} tokens, the context of {} must hold it and one more; shorten it", start.size(), context));
  }
  for (const int32_t id : start) {
    if (id >= 0 && id < model.spec().vocab_size) continue;
    return Status::invalid(fmt::format("decoder prompt: token id {} is outside the vocabulary of {}", id, model.spec().vocab_size));
  }
  return {};
}

Status check_rules(const TokenRules& rules, const models::Model& model) {
  if (rules.no_repeat_ngram < 0 || rules.min_tokens < 0) {
    return Status::out_of_range(fmt::format("rules: {} tokens that do not repeat and {} at least, must not be negative; correct them",
                                            rules.no_repeat_ngram, rules.min_tokens));
  }
  for (const std::optional<int32_t>& forced : {rules.forced_first, rules.forced_last}) {
    if (!forced || (*forced >= 0 && *forced < model.spec().vocab_size)) continue;
    return Status::invalid(fmt::format("rules: the forced token {} is outside the vocabulary of {}", *forced, model.spec().vocab_size));
  }
  return {};
}

}  // namespace

Status check_request(const Request& request, const models::Model& model, int64_t context) {
  ATELIER_RETURN_IF_ERROR(check_sampling_options(request.options.sampling));
  ATELIER_RETURN_IF_ERROR(check_beams(request.options, request.hooks));
  if (request.prompt.empty()) return Status::invalid("prompt: 0 tokens, at least 1 is needed; give some text");
  ATELIER_RETURN_IF_ERROR(check_rules(request.options.rules, model));
  const auto length = static_cast<int64_t>(request.prompt.size());
  if (model.has_encoder()) ATELIER_RETURN_IF_ERROR(check_source(request, model, context));
  if (!model.has_encoder() && length >= context) {
    return Status::out_of_range(fmt::format("prompt: {} tokens, the context of {} must hold it and one more; shorten it or raise {}",
                                            length, context, context < model.context() ? "the KV memory" : "--context"));
  }
  const auto in_vocabulary = [&](int32_t id) { return id >= 0 && id < model.spec().vocab_size; };
  const int64_t read_size = model.has_encoder() ? model.spec().encoder[0].vocab_size : model.spec().vocab_size;
  const auto is_read = [&](int32_t id) { return id >= 0 && id < read_size; };
  if (const auto bad = std::find_if_not(request.prompt.begin(), request.prompt.end(), is_read); bad != request.prompt.end()) {
    return Status::invalid(fmt::format("prompt: token id {} is outside the vocabulary of {}; use the model's tokenizer", *bad, read_size));
  }
  for (const auto& [id, bias] : request.options.sampling.logit_bias) {
    if (!in_vocabulary(id)) {
      return Status::invalid(
          fmt::format("logit bias: token id {} is outside the vocabulary of {}; see atelier tokenize", id, model.spec().vocab_size));
    }
  }
  if (model.has_encoder() && !request.options.adapters.empty()) {
    return Status::unsupported("adapter: given with a model that has an encoder, only decoders have adapters; leave it out");
  }
  if (!model.tokenizer().ok() && !request.options.stop_strings.empty()) {
    return Status::invalid("stop strings: given, but the model has no tokenizer; use stop ids");
  }
  return {};
}

}  // namespace atelier::generate
