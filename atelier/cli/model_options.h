// MODEL and the options that say how it is loaded, shared by the verbs that run a model.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "atelier/cli/command.h"
#include "atelier/models/model.h"

namespace atelier::cli {

struct ModelOptions {
  std::string model;  // path or name in the store
  std::string dtype = "auto";
  std::string kv = "auto";
  int64_t context = 0;

  // MODEL, --dtype, --kv, --context; the second for verbs with their own --context.
  void declare(Args& args, Args::Presence presence = Args::Presence::kRequired);
  void declare_without_context(Args& args, Args::Presence presence = Args::Presence::kRequired);
  void declare_without_model(Args& args);  // for verbs with MODELs of their own
  Result<std::unique_ptr<models::Model>> load() const;
  Result<std::unique_ptr<models::Model>> load_to_look_at() const;  // weights are not read
};

}  // namespace atelier::cli
