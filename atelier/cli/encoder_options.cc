#include "atelier/cli/encoder_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "atelier/base/strings.h"
#include "atelier/models/store.h"

namespace atelier::cli {

void EncoderOptions::declare(Args& args) {
  args.positional("MODEL", model, "a .gguf file, a folder in Hugging Face layout, or a name in the model store");
  args.group("Model");
  args.choice("--dtype", dtype, {"auto", "f32", "bf16", "int8"},
              "how products are formed; bf16 and int8 change float weights when they are loaded, f32 is the exact reference path");
}

Result<std::unique_ptr<models::Model>> EncoderOptions::load() const {
  ATELIER_TRY(const std::string path, models::resolve_model_path(model));
  models::LoadOptions options;
  if (dtype == "f32") options.precision = Precision::kF32;
  if (dtype == "bf16") options.type = DType::kBF16;
  if (dtype == "int8") options.type = DType::kQ8_0;
  return models::load_model(path, options);
}

Result<std::unique_ptr<models::Model>> EncoderOptions::load_with_head(const char* verb, std::initializer_list<nn::HeadKind> kinds) const {
  ATELIER_TRY(std::unique_ptr<models::Model> loaded, load());
  const nn::HeadKind has = loaded->spec().head.kind;
  if (std::ranges::find(kinds, has) != kinds.end()) {
    ATELIER_RETURN_IF_ERROR(loaded->tokenizer().status());
    return loaded;
  }
  std::vector<std::string> wanted;
  for (const nn::HeadKind kind : kinds) wanted.push_back(nn::head_def(kind).name);
  return Status::unsupported(fmt::format("{}: this model has {}, wanted is one of kind {}; train one, or use a model that has it", verb,
                                         has == nn::HeadKind::kNone ? "no head" : fmt::format("a head of kind {}", nn::head_def(has).name),
                                         join(wanted, " or ")));
}

}  // namespace atelier::cli
