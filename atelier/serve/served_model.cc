#include "atelier/serve/served_model.h"

#include <fmt/format.h>

#include <algorithm>

namespace atelier::serve {
namespace {

constexpr size_t kMaxConstraints = 32;  // kept at once

}  // namespace

ServedModel::ServedModel(std::string name, LoadedModel loaded, const tokenize::Tokenizer& tokenizer)
    : name_(std::move(name)),
      loaded_(std::move(loaded)),
      tokenizer_(tokenizer),
      token_text_(tokenizer),
      context_(loaded_.engine->context()) {}

Result<std::unique_ptr<ServedModel>> ServedModel::create(std::string name, LoadedModel loaded) {
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, loaded.model->tokenizer());
  const std::string source = loaded.model->chat_template();
  auto served = std::unique_ptr<ServedModel>(new ServedModel(std::move(name), std::move(loaded), *tokenizer));
  if (!source.empty()) {
    ATELIER_TRY(served->template_, tokenize::ChatTemplate::parse(source, "chat template"));
  }
  return served;
}

Result<std::shared_ptr<generate::Constraint>> ServedModel::constraint(
    const std::string& key, const std::function<Result<std::vector<generate::GrammarRule>>()>& rules) const {
  std::shared_ptr<const generate::TokenBytes> vocabulary;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(constraints_.begin(), constraints_.end(), [&](const auto& entry) { return entry.first == key; });
    if (found != constraints_.end()) {
      constraints_.splice(constraints_.begin(), constraints_, found);
      return found->second;
    }
    if (!vocabulary_) vocabulary_ = std::make_shared<const generate::TokenBytes>(tokenizer_);
    vocabulary = vocabulary_;
  }
  ATELIER_TRY(auto constraint, generate::Constraint::compile(rules(), vocabulary));
  const std::lock_guard lock(mutex_);
  constraints_.emplace_front(key, constraint);
  if (constraints_.size() > kMaxConstraints) constraints_.pop_back();
  return constraint;
}

}  // namespace atelier::serve
