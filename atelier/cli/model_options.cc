#include "atelier/cli/model_options.h"

#include <fmt/format.h>

#include <chrono>

#include "atelier/base/log.h"
#include "atelier/kernels/isa.h"
#include "atelier/models/store.h"
#include "atelier/parallel/parallel.h"

namespace atelier::cli {
namespace {

models::LoadOptions load_options(const ModelOptions& options) {
  models::LoadOptions load;
  if (options.dtype == "f32") load.precision = Precision::kF32;
  if (options.dtype == "bf16") load.precision = Precision::kBF16;
  if (options.kv != "auto") load.kv = dtype_from_name(options.kv);
  load.context = options.context;
  return load;
}

constexpr const char* kModelHelp = "a .gguf file, a folder in Hugging Face layout, or a name in the model store";

void declare_types(Args& args, ModelOptions& options) {
  args.group("Model");
  args.choice("--dtype", options.dtype, {"auto", "f32", "bf16"}, "how products are formed; f32 is the exact reference path");
  args.choice("--kv", options.kv, {"auto", "f16", "f32", "q8_0"}, "type of the KV cache; auto: f16, f32 with --dtype f32");
}

}  // namespace

void ModelOptions::declare(Args& args, Args::Presence presence) {
  args.positional("MODEL", model, kModelHelp, presence);
  declare_without_model(args);
}

void ModelOptions::declare_without_model(Args& args) {
  declare_types(args, *this);
  args.option("-c,--context", context, "N", "tokens that prompt and answer may have together; 0: what the model was made for",
              {0, int64_t{1} << 30});
}

void ModelOptions::declare_without_context(Args& args, Args::Presence presence) {
  args.positional("MODEL", model, kModelHelp, presence);
  declare_types(args, *this);
}

Result<std::unique_ptr<models::Model>> ModelOptions::load_to_look_at() const {
  ATELIER_TRY(const std::string path, models::resolve_model_path(model));
  models::LoadOptions options = load_options(*this);
  options.is_to_run = false;
  return models::load_model(path, options);
}

Result<std::unique_ptr<models::Model>> ModelOptions::load() const {
  ATELIER_TRY(const std::string path, models::resolve_model_path(model));
  const auto start = std::chrono::steady_clock::now();
  ATELIER_TRY(std::unique_ptr<models::Model> loaded, models::load_model(path, load_options(*this)));
  log(LogLevel::kDebug,
      fmt::format("loaded {} ({}, {}) in {:.0f} ms; {} threads, {}, KV cache {}, context {}", path, loaded->arch().name,
                  loaded->checkpoint().format(),
                  std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count(), num_threads(),
                  kernels::isa_name(kernels::current_isa()), dtype_name(loaded->kv_dtype()), loaded->context()));
  return loaded;
}

}  // namespace atelier::cli
