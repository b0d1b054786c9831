// A model that is being served, with what its requests share. All that is public may be used by any thread, save the engine.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/generate/engine.h"
#include "atelier/generate/grammar/constraint.h"
#include "atelier/generate/thoughts.h"
#include "atelier/generate/token_text.h"
#include "atelier/generate/tool_format.h"
#include "atelier/models/model.h"
#include "atelier/models/sentence_encoder.h"
#include "atelier/tokenize/chat_template.h"

namespace atelier::serve {

struct LoadedModel {
  std::unique_ptr<models::Model> model;
  std::unique_ptr<generate::Engine> engine;  // null of an encoder, which writes no answers
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

  const generate::ToolFormat& tool_format() const { return *tool_format_; }
  generate::ThoughtTags thought_tags() const { return thought_tags_; }
  // Special tokens whose spelling is part of an answer's text: of the thoughts' tags, with tools also of the calls' signs.
  const std::vector<int32_t>& shown_ids(bool with_tools) const { return with_tools ? shown_with_tools_ : shown_; }

  // The tokens that DRY's repetitions do not cross, kept for the requests that follow.
  std::shared_ptr<const std::vector<bool>> dry_breakers(const std::vector<std::string>& texts) const;

  // The constraint of a grammar, schema, …, compiled once and kept for the requests that follow; `key` is its notation and its text.
  Result<std::shared_ptr<generate::Constraint>> constraint(const std::string& key,
                                                           const std::function<Result<std::vector<generate::GrammarRule>>()>& rules) const;

  // Adapters that requests may name, with the folders that they came from.
  std::map<std::string, std::string> adapters() const;
  // Of the owner thread. Errors: a name that is taken or unknown, a folder that holds none (models/adapter.h), one that is in use.
  Status load_adapter(const std::string& name, const std::string& folder);
  Status unload_adapter(const std::string& name);

  bool has_engine() const { return loaded_.engine != nullptr; }
  // What makes vectors of texts: an encoder's pooling, the mean of a decoder's rows. Null where the files ask for what is not supported.
  const models::SentenceEncoder* encoder() const { return encoder_ ? &*encoder_ : nullptr; }

  generate::Engine& engine() { return *loaded_.engine; }  // of the owner thread, as are the next
  models::Model& model_to_run() { return *loaded_.model; }
  models::SentenceEncoder& encoder_to_run() { return *encoder_; }

 private:
  ServedModel(std::string name, LoadedModel loaded, const tokenize::Tokenizer& tokenizer);

  std::string name_;
  LoadedModel loaded_;
  const tokenize::Tokenizer& tokenizer_;
  generate::TokenText token_text_;
  std::optional<tokenize::ChatTemplate> template_;
  std::optional<models::SentenceEncoder> encoder_;
  const generate::ToolFormat* tool_format_ = nullptr;
  generate::ThoughtTags thought_tags_;
  std::vector<int32_t> shown_, shown_with_tools_;
  int64_t context_ = 0;

  mutable std::mutex mutex_;  // of what follows
  mutable std::shared_ptr<const generate::TokenBytes> vocabulary_;
  std::map<std::string, std::string> adapters_;
  mutable std::list<std::pair<std::string, std::shared_ptr<generate::Constraint>>> constraints_;                   // the latest used first
  mutable std::list<std::pair<std::vector<std::string>, std::shared_ptr<const std::vector<bool>>>> dry_breakers_;  // the same
};

}  // namespace atelier::serve
