// What trainers write into a tokenizer.json: stages, and vocabularies.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/tokenize/trainer.h"

namespace atelier::tokenize {

inline Json stage(const char* type) { return Json::object().set("type", type); }

// Stages one after the other; `key` is the list's name: "normalizers", "pretokenizers", "decoders".
inline Json stages_in_order(const char* key, Json::Array stages) { return stage("Sequence").set(key, Json(std::move(stages))); }

inline Json byte_level_stage() {
  return stage("ByteLevel").set("add_prefix_space", false).set("trim_offsets", true).set("use_regex", true);
}

// Those of the kinds on bytes.
PipelineStages byte_level_stages(const TrainerOptions& options);

// `scheme`: where a "▁" is put in front, "always" or "first".
inline Json metaspace_stage(const char* scheme) {
  return stage("Metaspace").set("replacement", "▁").set("prepend_scheme", scheme).set("split", true);
}

// {token: id} in the order of the ids.
Json vocabulary_json(const std::vector<std::string>& tokens);

// A BPE model of `tokens` by id and merges, each a pair of ids in order of rank.
Json bpe_json(const std::vector<std::string>& tokens, const std::vector<std::pair<TokenId, TokenId>>& merges,
              const TrainerOptions& options);

// The one of `special_tokens` that stands for what a vocabulary cannot spell: "<unk>" or "[UNK]".
std::optional<std::string> find_unknown_token(const std::vector<std::string>& special_tokens);

}  // namespace atelier::tokenize
