#include "atelier/convert/measure_importance.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "atelier/base/error.h"
#include "atelier/tensor/arena.h"

namespace atelier::convert {
namespace {

// The name in GGUF of each matrix, by where its weights lie.
std::map<const void*, std::string> names_by_data(const models::Model& model, nn::TransformerParameters& parameters) {
  std::map<const void*, std::string> names;
  nn::visit_parameters(model.spec(), parameters, [&](const nn::ParameterInfo& info, Tensor& tensor) {
    if (info.shape.rank() == 2) {
      names[tensor.data()] = models::stored_parameter(model.arch(), models::Layout::kGguf, info.name).name;
    }
  });
  return names;
}

Result<std::vector<int32_t>> tokens_of(const models::Model& model, std::string_view text, int64_t context) {
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, model.tokenizer());
  tokenize::EncodeOptions options;
  options.add_special_tokens = false;
  ATELIER_TRY(tokenize::Encoding encoding, tokenizer->encode(text, options));
  if (static_cast<int64_t>(encoding.ids.size()) >= context) return std::move(encoding.ids);
  return Status::invalid("importance matrix: the text has " + std::to_string(encoding.ids.size()) + " tokens, a window needs " +
                         std::to_string(context) + "; give a longer text or a smaller context");
}

}  // namespace

Result<ImportanceMatrix> measure_importance(const models::Model& model, std::string_view text, const MeasureOptions& options) {
  if (model.arch().gguf_name == nullptr) {
    return Status::unsupported("importance matrix: GGUF has no architecture for " + std::string(model.arch().name));
  }
  if (model.is_encoder()) return Status::unsupported("importance matrix: encoders read no text token by token; quantize without one");
  if (options.context < 2)
    return Status::invalid("importance matrix: context is " + std::to_string(options.context) + ", must be at least 2");
  ATELIER_TRY(std::vector<int32_t> ids, tokens_of(model, text, options.context));
  int64_t num_windows = static_cast<int64_t>(ids.size()) / options.context;
  if (options.max_windows > 0) num_windows = std::min(num_windows, options.max_windows);

  nn::TransformerParameters parameters = model.transformer().parameters();
  const std::map<const void*, std::string> names = names_by_data(model, parameters);
  ImportanceMatrix importance;
  const ProductObserver observer = [&](const Tensor& weight, const Tensor& x) {
    const auto found = names.find(weight.data());
    ATELIER_CHECK(found != names.end());
    importance.add(found->second, std::span(x.f32(), static_cast<size_t>(x.count())), x.dim(1));
  };
  nn::Transformer transformer(model.spec(), std::move(parameters), options.context);
  ATELIER_TRY(nn::KvCache cache, nn::KvCache::create(model.spec(), DType::kF32, options.context));
  Arena arena;
  for (int64_t window = 0; window < num_windows; ++window) {
    const std::span<int32_t> part =
        std::span(ids).subspan(static_cast<size_t>(window * options.context), static_cast<size_t>(options.context));
    if (model.adds_bos()) part[0] = *model.tokenizer().value()->bos();
    cache.truncate(0);
    arena.reset();
    Context context{arena, Precision::kF32, &observer};
    const nn::RowRun run{&cache, options.context};
    const Tensor hidden = transformer.forward(context, part, std::span(&run, 1));
    if (!model.spec().has_tied_head) observer(transformer.parameters().head.weight, hidden);
    if (options.progress && !options.progress((window + 1) * options.context, num_windows * options.context)) {
      return Status::cancelled("importance matrix: stopped");
    }
  }
  return importance;
}

}  // namespace atelier::convert
