#include "atelier/cli/engine_options.h"

#include <fmt/format.h>

#include "atelier/base/strings.h"
#include "atelier/nn/kv_pool.h"

namespace atelier::cli {

void EngineArgs::declare(Args& args) {
  args.group("Engine (docs/guide/engine.md)");
  args.choice("--speculate", speculate_, {"none", "lookup"}, "propose tokens by looking up the prompt; changes the speed, never the text");
  args.option("--draft", draft_, "MODEL", "a smaller model of the same vocabulary that proposes tokens; the text stays the same");
  args.option("--draft-tokens", num_draft_, "N", "tokens proposed at once at most", {1, 64});
  args.option("--kv-memory", kv_memory_, "SIZE", "memory for keys and values, such as 512M or 4G (default: what the contexts need)");
}

Result<int64_t> EngineArgs::kv_bytes() const {
  if (!kv_memory_) return 0;
  const auto bytes = parse_bytes(*kv_memory_);
  if (bytes && *bytes > 0) return static_cast<int64_t>(*bytes);
  return Status::invalid(fmt::format("--kv-memory: {}, must be a size such as 512M or 4G; correct it", atelier::quoted(*kv_memory_)));
}

Result<int64_t> EngineArgs::planned_bytes(const models::Model& model, int64_t max_sequences) const {
  if (model.is_encoder()) return model.checkpoint().total_bytes();
  ATELIER_TRY(int64_t bytes, kv_bytes());
  const nn::KvLayout layout(model.spec(), model.kv_dtype());
  if (bytes == 0) bytes = max_sequences * nn::KvLayout::num_pages(model.context()) * layout.page_bytes();
  return model.checkpoint().total_bytes() + bytes;
}

Result<std::unique_ptr<generate::Engine>> EngineArgs::create(models::Model& model, const ModelOptions& model_options, int64_t max_sequences,
                                                             int64_t max_beams) {
  generate::EngineOptions options;
  options.max_sequences = max_sequences;
  options.max_beams = max_beams;
  options.max_draft = num_draft_;
  ATELIER_TRY(options.kv_bytes, kv_bytes());
  if (speculate_ == "lookup") options.speculation = generate::Speculation::kLookup;
  if (draft_) {
    if (speculate_ != "none") return Status::invalid("--speculate: given with --draft, one of them is expected; leave one out");
    ModelOptions draft_options = model_options;
    draft_options.model = *draft_;
    draft_options.context = model.context();
    ATELIER_TRY(draft_model_, draft_options.load());
    options.speculation = generate::Speculation::kDraft;
    options.draft_model = draft_model_.get();
  }
  return generate::Engine::create(model, options);
}

}  // namespace atelier::cli
