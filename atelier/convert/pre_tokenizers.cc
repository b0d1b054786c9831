#include "atelier/convert/pre_tokenizers.h"

#include "atelier/base/error.h"
#include "atelier/base/strings.h"

namespace atelier::convert {
namespace {

using tokenize::NamedPreTokenizer;
using tokenize::PreTokenizerStage;
using tokenize::PreTokenizerStageKind;

Json step(const char* type) { return Json::object().set("type", type); }

Json byte_level(bool uses_regex) {
  return step("ByteLevel").set("add_prefix_space", false).set("trim_offsets", true).set("use_regex", uses_regex);
}

Json stage_json(const PreTokenizerStage& stage) {
  switch (stage.kind) {
    case PreTokenizerStageKind::kSplit:
      return step("Split").set("pattern", Json::object().set("Regex", stage.pattern)).set("behavior", "Isolated").set("invert", false);
    case PreTokenizerStageKind::kDigits:
      return step("Digits").set("individual_digits", true);
    case PreTokenizerStageKind::kDigitRuns:
      return step("Digits").set("individual_digits", false);
    case PreTokenizerStageKind::kPunctuationRuns:
      return step("Punctuation").set("behavior", "Contiguous");
    case PreTokenizerStageKind::kGpt2ByteLevel:
      return byte_level(true);
    case PreTokenizerStageKind::kByteLevel:
      return byte_level(false);
  }
  throw InternalError("unknown stage of a pre-tokenizer");
}

// The members that change ids, with their defaults filled in; offsets do not.
Json essence_of_step(const Json& node) {
  const auto member = [&](const char* key, const Json& fallback) {
    const Json* found = node.find(key);
    return found != nullptr && !found->is_null() ? *found : fallback;
  };
  const Json type = member("type", "");
  Json out = Json::object().set("type", type);
  if (type == Json("ByteLevel")) {
    return out.set("add_prefix_space", member("add_prefix_space", true)).set("use_regex", member("use_regex", true));
  }
  if (type == Json("Split")) {
    return out.set("pattern", member("pattern", Json())).set("behavior", member("behavior", "")).set("invert", member("invert", false));
  }
  if (type == Json("Digits")) return out.set("individual_digits", member("individual_digits", false));
  if (type == Json("Punctuation")) return out.set("behavior", member("behavior", "Isolated"));
  return node;
}

// The steps of a (nested) Sequence one after the other; none for null.
void append_steps(const Json* node, Json& steps, int depth = 0) {
  constexpr int kMaxDepth = 8;
  if (node == nullptr || !node->is_object() || depth > kMaxDepth) return;
  for (const char* key : {"pretokenizers", "normalizers"}) {
    const Json* inner = node->find(key);
    if (inner == nullptr || !inner->is_array()) continue;
    for (const Json& part : inner->as_array()) append_steps(&part, steps, depth + 1);
    return;
  }
  steps.push_back(essence_of_step(*node));
}

Json steps_of(const Json* normalizer, const Json* pre_tokenizer) {
  Json steps = Json::array();
  append_steps(normalizer, steps);
  append_steps(pre_tokenizer, steps);
  return steps;
}

// "cl100k_base" and "o200k_base" are tiktoken's names, which GGUF does not know.
bool is_gguf_name(const std::string& name) { return !name.ends_with("_base"); }

}  // namespace

Json normalizer_json(const NamedPreTokenizer& named) { return named.normalizes_nfc ? step("NFC") : Json(); }

Json pre_tokenizer_json(const NamedPreTokenizer& named) {
  if (named.stages.size() == 1) return stage_json(named.stages[0]);
  Json steps = Json::array();
  for (const PreTokenizerStage& stage : named.stages) steps.push_back(stage_json(stage));
  return step("Sequence").set("pretokenizers", std::move(steps));
}

Result<std::string> gguf_pre_tokenizer_name(const Json& tokenizer) {
  const Json steps = steps_of(tokenizer.find("normalizer"), tokenizer.find("pre_tokenizer"));
  const Json* model = tokenizer.find("model");
  ATELIER_TRY(const bool ignores_merges, (model != nullptr ? *model : Json()).get_bool("ignore_merges", false));
  for (const std::string& name : tokenize::pre_tokenizer_names()) {
    const NamedPreTokenizer* named = tokenize::find_pre_tokenizer(name);
    if (!is_gguf_name(name) || named->ignore_merges != ignores_merges) continue;
    const Json normalizer = normalizer_json(*named), pre_tokenizer = pre_tokenizer_json(*named);
    if (steps_of(&normalizer, &pre_tokenizer) == steps) return name;
  }
  return Status::unsupported("tokenizer.json: its pre-tokenizer " + quoted(steps.dump(), 160) +
                             " has no name in GGUF that this build knows; keep the Hugging Face folder");
}

}  // namespace atelier::convert
