// --adapter DIR[=WEIGHT]: adapters beside the model (docs/guide/adapters.md).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "atelier/cli/args.h"
#include "atelier/convert/merge.h"
#include "atelier/generate/engine.h"

namespace atelier::cli {

// Adapters without an engine, and how they are applied. Views of `loaded`.
struct LoadedAdapters {
  std::vector<std::shared_ptr<const nn::Adapter>> loaded;
  std::vector<nn::AppliedAdapter> applied;
};

class AdapterArgs {
 public:
  void declare(Args& args);

  // The folders that were given, with their weights.
  std::vector<convert::AdapterPart> parts() const;

  // Loads what was given into the engine, each under the name of its folder. Returns them with their weights.
  Result<std::vector<generate::AdapterChoice>> load(const models::Model& model, generate::Engine& engine) const;
  // Loads what was given, all of it to be applied at once. InvalidArgument where that cannot be.
  Result<LoadedAdapters> load(const models::Model& model) const;

 private:
  std::vector<std::string> given_;
};

}  // namespace atelier::cli
