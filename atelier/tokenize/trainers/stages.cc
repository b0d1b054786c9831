#include "atelier/tokenize/trainers/stages.h"

#include <algorithm>

namespace atelier::tokenize {

PipelineStages byte_level_stages(const TrainerOptions& options) {
  PipelineStages stages;
  if (options.lowercase) stages.normalizer = stage("Lowercase");
  stages.pre_tokenizer = byte_level_stage();
  stages.decoder = byte_level_stage();
  return stages;
}

Json vocabulary_json(const std::vector<std::string>& tokens) {
  Json::Object out;
  out.reserve(tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id) out.emplace_back(tokens[id], static_cast<int64_t>(id));
  return out;
}

Json bpe_json(const std::vector<std::string>& tokens, const std::vector<std::pair<TokenId, TokenId>>& merges,
              const TrainerOptions& options) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  Json::Array pairs;
  pairs.reserve(merges.size());
  for (const auto& [left, right] : merges) {
    pairs.push_back(Json::Array{Json(tokens[static_cast<size_t>(left)]), Json(tokens[static_cast<size_t>(right)])});
  }
  const std::optional<std::string> unknown = find_unknown_token(*options.special_tokens);
  Json model = stage("BPE");
  model.set("dropout", nullptr).set("unk_token", unknown ? Json(*unknown) : Json());
  model.set("continuing_subword_prefix", or_null(options.continuing_subword_prefix));
  model.set("end_of_word_suffix", or_null(options.end_of_word_suffix)).set("fuse_unk", false).set("byte_fallback", false);
  return model.set("ignore_merges", false).set("vocab", vocabulary_json(tokens)).set("merges", Json(std::move(pairs)));
}

std::optional<std::string> find_unknown_token(const std::vector<std::string>& special_tokens) {
  const auto it = std::find_if(special_tokens.begin(), special_tokens.end(),
                               [](const std::string& token) { return token == "<unk>" || token == "[UNK]"; });
  return it == special_tokens.end() ? std::nullopt : std::optional(*it);
}

}  // namespace atelier::tokenize
