#include "atelier/data/objective.h"

#include <algorithm>

namespace atelier::data {
namespace {

class ObjectiveRows : public RowSource {
 public:
  ObjectiveRows(const ObjectiveDef& objective, ObjectiveTokens vocabulary, std::unique_ptr<RowSource> text, uint64_t seed)
      : objective_(objective), vocabulary_(std::move(vocabulary)), text_(std::move(text)), seed_(seed) {}

  Result<Row> next() override {
    ATELIER_TRY(const Row row, text_->next());
    return objective_row(objective_, vocabulary_, row, seed_);
  }
  Json cursor() const override { return text_->cursor(); }
  Status restore(const Json& cursor) override { return text_->restore(cursor); }

 private:
  const ObjectiveDef& objective_;
  ObjectiveTokens vocabulary_;
  std::unique_ptr<RowSource> text_;
  uint64_t seed_;
};

}  // namespace

const ObjectiveDef* find_objective(const std::string& name) {
  const auto table = objectives();
  const auto found = std::ranges::find_if(table, [&](const ObjectiveDef* def) { return name == def->name; });
  return found == table.end() ? nullptr : *found;
}

Result<ObjectiveTokens> objective_tokens(const ObjectiveDef& objective, const tokenize::Tokenizer& tokenizer) {
  ObjectiveTokens out;
  out.vocab_size = tokenizer.vocab_size();
  if (!objective.is_masked) return out;
  out.frame = tokenizer.frame();
  for (const char* spelling : {"[MASK]", "<mask>"}) {
    if (const auto id = tokenizer.token_to_id(spelling)) out.mask = *id;
  }
  if (out.mask < 0) {
    return Status::invalid(std::string("data: objective ") + objective.name +
                           " needs a mask token, the tokenizer has no [MASK] and no <mask>; use a tokenizer that has one");
  }
  for (int64_t id = 0; id < out.vocab_size; ++id) {
    out.continues.push_back(tokenizer.id_to_token(static_cast<int32_t>(id)).starts_with("##"));
  }
  return out;
}

std::unique_ptr<RowSource> objective_rows(const ObjectiveDef& objective, ObjectiveTokens vocabulary, std::unique_ptr<RowSource> text,
                                          uint64_t seed) {
  if (objective.make == nullptr) return text;
  return std::make_unique<ObjectiveRows>(objective, std::move(vocabulary), std::move(text), seed);
}

Row objective_row(const ObjectiveDef& objective, const ObjectiveTokens& vocabulary, const Row& text, uint64_t seed) {
  if (objective.make == nullptr) return text;
  Row out;
  size_t begin = 0;
  for (size_t i = 0; i < text.lengths.size(); ++i) {
    const auto length = static_cast<size_t>(text.lengths[i]);
    out.append(objective.make(vocabulary, std::span(text.ids).subspan(begin, length), seed, text.samples[i]), text.samples[i]);
    begin += length;
  }
  return out;
}

}  // namespace atelier::data
