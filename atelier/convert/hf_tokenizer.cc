#include "atelier/convert/hf_tokenizer.h"

#include <algorithm>
#include <unordered_map>

#include "atelier/base/strings.h"
#include "atelier/convert/pre_tokenizers.h"

namespace atelier::convert {
namespace {

using tokenize::GgufVocabulary;
using tokenize::TokenId;

enum TokenType : int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

int32_t type_of(const GgufVocabulary& vocabulary, size_t id) { return vocabulary.types.empty() ? kNormal : vocabulary.types[id]; }

Json step(const char* type) { return Json::object().set("type", type); }

Json sequence(const char* key, Json::Array steps) { return step("Sequence").set(key, Json(std::move(steps))); }

Json replace(const char* from, const char* to) {
  return step("Replace").set("pattern", Json::object().set("String", from)).set("content", to);
}

Json added_tokens(const GgufVocabulary& vocabulary) {
  Json out = Json::array();
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    const int32_t type = type_of(vocabulary, id);
    if (type != kControl && type != kUserDefined && type != kUnknown) continue;
    Json token = Json::object();
    token.set("id", static_cast<int64_t>(id)).set("content", vocabulary.tokens[id]).set("single_word", false);
    token.set("lstrip", false).set("rstrip", false).set("normalized", false).set("special", type != kUserDefined);
    out.push_back(std::move(token));
  }
  return out;
}

Json vocab(const GgufVocabulary& vocabulary) {
  Json::Object out;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (type_of(vocabulary, id) != kUnused) out.emplace_back(vocabulary.tokens[id], static_cast<int64_t>(id));
  }
  return out;
}

Json bpe(const GgufVocabulary& vocabulary, Json merges, bool is_sentencepiece, bool ignores_merges) {
  Json model = step("BPE");
  const bool has_unknown = is_sentencepiece && vocabulary.unk.has_value();
  model.set("dropout", nullptr).set("unk_token", has_unknown ? Json(vocabulary.tokens[static_cast<size_t>(*vocabulary.unk)]) : Json());
  model.set("continuing_subword_prefix", nullptr).set("end_of_word_suffix", nullptr).set("fuse_unk", is_sentencepiece);
  model.set("byte_fallback", is_sentencepiece).set("ignore_merges", ignores_merges);
  return model.set("vocab", vocab(vocabulary)).set("merges", std::move(merges));
}

// "<s> $A" and "<s> $A <s> $B".
Json bos_template(const GgufVocabulary& vocabulary) {
  const std::string& token = vocabulary.tokens[static_cast<size_t>(*vocabulary.bos)];
  const auto special = [&](int type_id) {
    return Json::object().set("SpecialToken", Json::object().set("id", token).set("type_id", type_id));
  };
  const auto text = [](const char* id, int type_id) {
    return Json::object().set("Sequence", Json::object().set("id", id).set("type_id", type_id));
  };
  Json definition = Json::object();
  definition.set("id", token).set("ids", Json::Array{Json(static_cast<int64_t>(*vocabulary.bos))}).set("tokens", Json::Array{Json(token)});
  Json out = step("TemplateProcessing");
  out.set("single", Json::Array{special(0), text("A", 0)});
  out.set("pair", Json::Array{special(0), text("A", 0), special(1), text("B", 1)});
  return out.set("special_tokens", Json::object().set(token, std::move(definition)));
}

struct Merge {
  std::string left, right;
  float score;
};

size_t num_characters(const std::string& s) {
  return static_cast<size_t>(std::ranges::count_if(s, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// Every way to build a piece from two others, best piece first; among equals longer left and right sides first.
std::vector<Merge> merges_from_scores(const GgufVocabulary& vocabulary) {
  std::unordered_map<std::string_view, TokenId> ids;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (type_of(vocabulary, id) == kNormal) ids.emplace(vocabulary.tokens[id], static_cast<TokenId>(id));
  }
  std::vector<Merge> out;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    const std::string& piece = vocabulary.tokens[id];
    if (type_of(vocabulary, id) != kNormal) continue;
    std::vector<std::pair<std::pair<TokenId, TokenId>, size_t>> splits;
    for (size_t at = 1; at < piece.size(); ++at) {
      const auto left = ids.find(std::string_view(piece).substr(0, at)), right = ids.find(std::string_view(piece).substr(at));
      if (left != ids.end() && right != ids.end()) splits.push_back({{left->second, right->second}, at});
    }
    std::ranges::sort(splits);
    for (const auto& [pair, at] : splits) out.push_back({piece.substr(0, at), piece.substr(at), vocabulary.scores[id]});
  }
  std::ranges::stable_sort(out, [](const Merge& a, const Merge& b) {
    if (a.score != b.score) return a.score > b.score;
    const size_t a_left = num_characters(a.left), b_left = num_characters(b.left);
    if (a_left != b_left) return a_left > b_left;
    return num_characters(a.right) > num_characters(b.right);
  });
  return out;
}

Json file(const GgufVocabulary& vocabulary, Json normalizer, Json pre_tokenizer, Json post_processor, Json decoder, Json model) {
  Json out = Json::object();
  out.set("version", "1.0").set("truncation", nullptr).set("padding", nullptr).set("added_tokens", added_tokens(vocabulary));
  out.set("normalizer", std::move(normalizer)).set("pre_tokenizer", std::move(pre_tokenizer));
  return out.set("post_processor", std::move(post_processor)).set("decoder", std::move(decoder)).set("model", std::move(model));
}

Result<Json> byte_level(const GgufVocabulary& vocabulary, const Json& bos) {
  const bool is_unnamed = vocabulary.pre.empty() || vocabulary.pre == "default";
  const tokenize::NamedPreTokenizer* pre = tokenize::find_pre_tokenizer(is_unnamed ? "gpt-2" : vocabulary.pre);
  if (pre == nullptr) {
    return Status::unsupported("gguf: pre-tokenizer " + quoted(vocabulary.pre) +
                               " cannot be written as tokenizer.json by this build; keep the GGUF file");
  }
  Json merges = Json::array();
  for (const std::string& merge : vocabulary.merges) merges.push_back(merge);
  const Json bytes = step("ByteLevel").set("add_prefix_space", false).set("trim_offsets", true).set("use_regex", true);
  return file(vocabulary, normalizer_json(*pre), pre_tokenizer_json(*pre), bos, bytes,
              bpe(vocabulary, std::move(merges), false, pre->ignore_merges));
}

Result<Json> sentencepiece(const GgufVocabulary& vocabulary, const Json& bos) {
  if (vocabulary.scores.empty()) return Status::corrupt("gguf: tokenizer.ggml.scores is missing; a vocabulary of kind \"llama\" needs it");
  Json merges = Json::array();
  for (Merge& merge : merges_from_scores(vocabulary)) {
    merges.push_back(Json::Array{Json(std::move(merge.left)), Json(std::move(merge.right))});
  }
  const bool has_prefix = vocabulary.add_space_prefix.value_or(true);
  Json::Array decoders = {replace("▁", " "), step("ByteFallback"), step("Fuse")};
  if (has_prefix) decoders.push_back(step("Strip").set("content", " ").set("start", 1).set("stop", 0));
  Json normalizer = has_prefix ? sequence("normalizers", {step("Prepend").set("prepend", "▁"), replace(" ", "▁")}) : replace(" ", "▁");
  return file(vocabulary, std::move(normalizer), Json(), bos, sequence("decoders", std::move(decoders)),
              bpe(vocabulary, std::move(merges), true, false));
}

}  // namespace

Result<Json> hf_tokenizer(const GgufVocabulary& vocabulary, bool adds_bos) {
  const Json bos = adds_bos && vocabulary.bos ? bos_template(vocabulary) : Json();
  if (vocabulary.model == "gpt2") return byte_level(vocabulary, bos);
  if (vocabulary.model == "llama") return sentencepiece(vocabulary, bos);
  return Status::unsupported("gguf: a vocabulary of kind " + quoted(vocabulary.model) +
                             " cannot be written as tokenizer.json by this build; known: gpt2, llama");
}

Json hf_tokenizer_config(const GgufVocabulary& vocabulary, int64_t max_context) {
  Json out = Json::object();
  out.set("tokenizer_class", "PreTrainedTokenizerFast").set("clean_up_tokenization_spaces", false).set("model_max_length", max_context);
  const std::pair<const char*, std::optional<TokenId>> tokens[] = {
      {"bos_token", vocabulary.bos}, {"eos_token", vocabulary.eos}, {"unk_token", vocabulary.unk}, {"pad_token", vocabulary.pad}};
  for (const auto& [key, id] : tokens) {
    if (id) out.set(key, vocabulary.tokens[static_cast<size_t>(*id)]);
  }
  return out;
}

}  // namespace atelier::convert
