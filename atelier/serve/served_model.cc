#include "atelier/serve/served_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "atelier/generate/channel_splitter.h"
#include "atelier/generate/dry_breakers.h"
#include "atelier/models/adapter.h"

namespace atelier::serve {
namespace {

constexpr size_t kMaxConstraints = 32;  // kept at once
constexpr size_t kMaxBreakers = 4;

// Special tokens that are spelled within one of the signs.
std::vector<int32_t> spelled_in(const std::vector<std::string>& signs, const tokenize::Tokenizer& tokenizer) {
  std::vector<int32_t> ids;
  for (int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
    if (!tokenizer.is_special(id)) continue;
    const std::string token = tokenizer.id_to_token(id);
    const auto holds = [&](const std::string& sign) { return !token.empty() && sign.find(token) != std::string::npos; };
    if (std::any_of(signs.begin(), signs.end(), holds)) ids.push_back(id);
  }
  return ids;
}

}  // namespace

ServedModel::ServedModel(std::string name, LoadedModel loaded, const tokenize::Tokenizer& tokenizer)
    : name_(std::move(name)),
      loaded_(std::move(loaded)),
      tokenizer_(tokenizer),
      token_text_(tokenizer),
      context_(loaded_.engine ? loaded_.engine->context() : loaded_.model->context()) {}

Result<std::unique_ptr<ServedModel>> ServedModel::create(std::string name, LoadedModel loaded) {
  ATELIER_TRY(const tokenize::Tokenizer* tokenizer, loaded.model->tokenizer());
  const std::string source = loaded.model->chat_template();
  auto served = std::unique_ptr<ServedModel>(new ServedModel(std::move(name), std::move(loaded), *tokenizer));
  if (!source.empty()) {
    ATELIER_TRY(served->template_, tokenize::ChatTemplate::parse(source, "chat template"));
  }
  served->tool_format_ = &generate::tool_format_of(source);
  served->thought_tags_ = generate::thought_tags(source);
  const generate::ToolFormat& format = *served->tool_format_;
  std::vector<std::string> signs = {std::string(served->thought_tags_.open), std::string(served->thought_tags_.close)};
  if (format.has_channels) {
    const auto of_channels = generate::ChannelSplitter::signs();
    signs.insert(signs.end(), of_channels.begin(), of_channels.end());
  }
  served->shown_ = spelled_in(signs, *tokenizer);
  for (const char* sign : {format.begin, format.open, format.middle, format.close, format.end, format.expression, format.key_open,
                           format.key_close, format.value_open, format.value_close}) {
    signs.emplace_back(sign);
  }
  served->shown_with_tools_ = spelled_in(signs, *tokenizer);
  if (auto settings = models::read_sentence_settings(served->model()); settings.ok()) {
    auto encoder = models::SentenceEncoder::create(*served->loaded_.model, std::move(*settings));
    if (encoder.ok()) served->encoder_.emplace(std::move(*encoder));
  }
  return served;
}

std::map<std::string, std::string> ServedModel::adapters() const {
  const std::lock_guard lock(mutex_);
  return adapters_;
}

Status ServedModel::load_adapter(const std::string& name, const std::string& folder) {
  ATELIER_TRY(auto adapter, models::load_adapter(model(), folder));
  ATELIER_RETURN_IF_ERROR(engine().add_adapter(name, std::move(adapter)));
  const std::lock_guard lock(mutex_);
  adapters_[name] = folder;
  return {};
}

Status ServedModel::unload_adapter(const std::string& name) {
  ATELIER_RETURN_IF_ERROR(engine().remove_adapter(name));
  const std::lock_guard lock(mutex_);
  adapters_.erase(name);
  return {};
}

std::shared_ptr<const std::vector<bool>> ServedModel::dry_breakers(const std::vector<std::string>& texts) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [known, breakers] : dry_breakers_) {
    if (known == texts) return breakers;
  }
  dry_breakers_.emplace_front(texts, generate::dry_breakers(tokenizer_, texts));
  if (dry_breakers_.size() > kMaxBreakers) dry_breakers_.pop_back();
  return dry_breakers_.front().second;
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
    if (!vocabulary_) vocabulary_ = std::make_shared<const generate::TokenBytes>(tokenizer_, shown_with_tools_);
    vocabulary = vocabulary_;
  }
  ATELIER_TRY(auto constraint, generate::Constraint::compile(rules(), vocabulary));
  const std::lock_guard lock(mutex_);
  constraints_.emplace_front(key, constraint);
  if (constraints_.size() > kMaxConstraints) constraints_.pop_back();
  return constraint;
}

}  // namespace atelier::serve
