#include "atelier/tokenize/trainer.h"

#include <array>
#include <set>

#include "atelier/base/strings.h"
#include "atelier/text/utf8.h"

namespace atelier::tokenize {
namespace {

Json added_tokens(const std::vector<std::string>& special_tokens) {
  Json out = Json::array();
  for (size_t id = 0; id < special_tokens.size(); ++id) {
    Json token = Json::object();
    token.set("id", static_cast<int64_t>(id)).set("content", special_tokens[id]).set("single_word", false);
    token.set("lstrip", false).set("rstrip", false).set("normalized", false).set("special", true);
    out.push_back(std::move(token));
  }
  return out;
}

Status check(const TrainerOptions& options) {
  if (options.vocab_size < 1)
    return Status::invalid("vocabulary size: " + std::to_string(options.vocab_size) + ", must be at least 1; raise it");
  for (const std::string& text : {options.initial_alphabet, options.continuing_subword_prefix, options.end_of_word_suffix}) {
    if (!text::is_valid_utf8(text)) return Status::invalid("alphabet, prefix or suffix: " + quoted(text) + ", it is no UTF-8; correct it");
  }
  std::set<std::string> seen;
  for (const std::string& token : *options.special_tokens) {
    if (token.empty()) return Status::invalid("special token: empty, it must have at least one character; leave it out");
    if (!text::is_valid_utf8(token)) return Status::invalid("special token: " + quoted(token) + ", it is no UTF-8; correct it");
    if (!seen.insert(token).second) return Status::invalid("special token: " + quoted(token) + " is given twice; leave one out");
  }
  return {};
}

}  // namespace

Result<const TrainerDef*> find_trainer(const std::string& name) {
  std::vector<std::string> names;
  for (const TrainerDef* trainer : trainers()) {
    if (name == trainer->name) return trainer;
    names.push_back(trainer->name);
  }
  const std::string nearest = nearest_name(name, names);
  return Status::invalid("kind: " + quoted(name) + ", must be " + join(names, ", ") + "; " +
                         (nearest.empty() ? "choose one" : "did you mean " + nearest + "?"));
}

Result<Json> train_tokenizer(const TrainerDef& trainer, TrainerOptions options, Corpus& corpus, const CountOptions& count_options) {
  if (!options.special_tokens) options.special_tokens = trainer.special_tokens();
  ATELIER_RETURN_IF_ERROR(check(options));
  PipelineStages stages = trainer.stages(options);
  if (options.normalizer) stages.normalizer = *options.normalizer;
  if (options.pre_tokenizer) stages.pre_tokenizer = *options.pre_tokenizer;
  std::unique_ptr<Normalizer> normalizer;
  std::unique_ptr<PreTokenizer> pre_tokenizer;
  if (!stages.normalizer.is_null()) {
    ATELIER_TRY(normalizer, create_normalizer(stages.normalizer, "normalizer"));
  }
  if (!stages.pre_tokenizer.is_null()) {
    ATELIER_TRY(pre_tokenizer, create_pre_tokenizer(stages.pre_tokenizer, "pre-tokenizer"));
  }
  ATELIER_TRY(const WordCounts counts, count_words(corpus, normalizer.get(), pre_tokenizer.get(), count_options));
  const TrainingProgress progress = count_options.progress ? count_options.progress : [](const char*, int64_t, int64_t) { return true; };
  ATELIER_TRY(Json model, trainer.train(counts, options, progress));

  Json file = Json::object();
  file.set("version", "1.0").set("truncation", nullptr).set("padding", nullptr).set("added_tokens", added_tokens(*options.special_tokens));
  file.set("normalizer", std::move(stages.normalizer)).set("pre_tokenizer", std::move(stages.pre_tokenizer));
  file.set("post_processor", std::move(stages.post_processor)).set("decoder", std::move(stages.decoder));
  return file.set("model", std::move(model));
}

Json trained_tokenizer_config(const std::vector<std::string>& special_tokens) {
  struct Role {
    const char* key;
    std::array<const char*, 2> spellings;
  };
  constexpr Role kRoles[] = {{"unk_token", {"<unk>", "[UNK]"}},        {"bos_token", {"<s>", "<|endoftext|>"}},
                             {"eos_token", {"</s>", "<|endoftext|>"}}, {"pad_token", {"<pad>", "[PAD]"}},
                             {"cls_token", {"<cls>", "[CLS]"}},        {"sep_token", {"<sep>", "[SEP]"}},
                             {"mask_token", {"<mask>", "[MASK]"}}};
  Json out = Json::object();
  out.set("tokenizer_class", "PreTrainedTokenizerFast").set("clean_up_tokenization_spaces", false);
  for (const Role& role : kRoles) {
    for (const std::string& token : special_tokens) {
      if (token == role.spellings[0] || token == role.spellings[1]) out.set(role.key, token);
    }
  }
  return out;
}

}  // namespace atelier::tokenize
