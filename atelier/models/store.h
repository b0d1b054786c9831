// The model store: models by short names under $ATELIER_HOME/models (default ~/.local/share/atelier/models).
//
// A model "NAME" is the folder NAME, in Hugging Face layout or holding one GGUF file (perhaps split), or the file NAME.gguf. A second name
// is a symbolic link beside it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/status.h"

namespace atelier::models {

std::string store_folder();

struct StoredModel {
  std::string name;
  std::string path;      // what load_model takes
  int64_t bytes = 0;     // of its weights
  std::string alias_of;  // the model of which this is a second name, or empty
};

// Letters, digits and . _ -, none of them a dot in front: a folder of its own in the store.
bool is_store_name(std::string_view name);

// Sorted by name; empty when there is no store yet. What is no model is left out.
std::vector<StoredModel> stored_models();

// From what the user typed to a path that load_model takes: an existing file or folder, else a name in the store. A folder with one
// GGUF file and no config.json means that file, a training run's folder (runs/NAME) its model. NotFound names the nearest model of the
// store.
Result<std::string> resolve_model_path(const std::string& model);

// Gives a model of the store a second name. InvalidArgument: no name, or one that is taken; NotFound names the nearest model.
Result<StoredModel> add_alias(const std::string& alias, const std::string& model);

// Deletes a model of the store with all its files and second names, or a second name alone. NotFound names the nearest.
Result<StoredModel> remove_model(const std::string& name);

}  // namespace atelier::models
