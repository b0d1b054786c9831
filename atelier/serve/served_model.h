// A model that is being served, with what its requests share. All that is public may be used by any thread, save the engine.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/generate/engine.h"
#include "atelier/generate/grammar/constraint.h"
#include "atelier/generate/token_text.h"
#include "atelier/models/model.h"
#include "atelier/tokenize/chat_template.h"

namespace atelier::serve {

struct LoadedModel {
  std::unique_ptr<models::Model> model;
  std::unique_ptr<generate::Engine> engine;
};

// A model by the name under which clients ask for it. Loading happens on the owner thread.
struct ModelSource {
  std::string name;
  int64_t max_sequences = 1;  // that the engine runs together
  std::function<Result<LoadedModel>()> load;
  int64_t bytes = 0;  // of memory that it will take: weights, keys and values
  std::vector<std::string> aliases = {};
};

class ServedModel : public std::enable_shared_from_this<ServedModel> {
 public:
  // Unsupported when the model has no tokenizer; Corrupt when its chat template cannot be parsed. A model without one serves completions.
  static Result<std::unique_ptr<ServedModel>> create(std::string name, LoadedModel loaded);

  const std::string& name() const { return name_; }
  int64_t context() const { return context_; }
  const models::Model& model() const { return *loaded_.model; }
  const tokenize::Tokenizer& tokenizer() const { return tokenizer_; }
  const tokenize::ChatTemplate* chat_template() const { return template_ ? &*template_ : nullptr; }
  const generate::TokenText& token_text() const { return token_text_; }

  // The constraint of a grammar, schema, …, compiled once and kept for the requests that follow; `key` is its notation and its text.
  Result<std::shared_ptr<generate::Constraint>> constraint(const std::string& key,
                                                           const std::function<Result<std::vector<generate::GrammarRule>>()>& rules) const;

  generate::Engine& engine() { return *loaded_.engine; }  // of the owner thread, as is the next
  models::Model& model_to_run() { return *loaded_.model; }

 private:
  ServedModel(std::string name, LoadedModel loaded, const tokenize::Tokenizer& tokenizer);

  std::string name_;
  LoadedModel loaded_;
  const tokenize::Tokenizer& tokenizer_;
  generate::TokenText token_text_;
  std::optional<tokenize::ChatTemplate> template_;
  int64_t context_ = 0;

  mutable std::mutex mutex_;  // of what follows
  mutable std::shared_ptr<const generate::TokenBytes> vocabulary_;
  mutable std::list<std::pair<std::string, std::shared_ptr<generate::Constraint>>> constraints_;  // the latest used first
};

}  // namespace atelier::serve
