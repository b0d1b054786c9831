#include "atelier/convert/pre_tokenizers.h"

#include "atelier/base/strings.h"

namespace atelier::convert {
namespace {

constexpr const char* kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kGpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kBloom = R"( ?[^(\s|[.,!?…。，、।۔،])]+)";

constexpr PreTokenizer kTable[] = {
    {.name = "gpt-2", .regex = nullptr},
    {.name = "smollm", .regex = nullptr, .splits_digits = true},
    {.name = "llama-bpe", .regex = kLlama3, .ignores_merges = true, .adds_bos = true},
    {.name = "qwen2", .regex = kQwen2, .normalizes = true},
    {.name = "gpt-4o", .regex = kGpt4o},
    {.name = "bloom", .regex = kBloom},
};

Json step(const char* type) { return Json::object().set("type", type); }

// The members that change ids, with their defaults filled in; offsets do not.
Json essence_of_step(const Json& step) {
  const auto member = [&](const char* key, Json fallback) {
    const Json* found = step.find(key);
    return found != nullptr && !found->is_null() ? *found : std::move(fallback);
  };
  Json out = Json::object();
  const Json type = member("type", "");
  out.set("type", type);
  if (type == Json("ByteLevel")) {
    out.set("add_prefix_space", member("add_prefix_space", true)).set("use_regex", member("use_regex", true));
  } else if (type == Json("Split")) {
    out.set("pattern", member("pattern", Json())).set("behavior", member("behavior", "")).set("invert", member("invert", false));
  } else if (type == Json("Digits")) {
    out.set("individual_digits", member("individual_digits", false));
  } else if (type != Json("NFC")) {
    return step;
  }
  return out;
}

// The steps of a (nested) Sequence one after the other; none for null.
void append_steps(const Json* node, Json& steps, int depth = 0) {
  constexpr int kMaxDepth = 8;
  if (node == nullptr || !node->is_object() || depth > kMaxDepth) return;
  for (const char* key : {"pretokenizers", "normalizers"}) {
    const Json* inner = node->find(key);
    if (inner == nullptr || !inner->is_array()) continue;
    for (const Json& step : inner->as_array()) append_steps(&step, steps, depth + 1);
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

}  // namespace

Json normalizer_json(const PreTokenizer& entry) { return entry.normalizes ? step("NFC") : Json(); }

Json pre_tokenizer_json(const PreTokenizer& entry) {
  const bool has_own_regex = entry.regex != nullptr;
  Json bytes = step("ByteLevel");
  bytes.set("add_prefix_space", false).set("trim_offsets", true).set("use_regex", !has_own_regex);
  Json steps = Json::array();
  if (entry.splits_digits) steps.push_back(step("Digits").set("individual_digits", true));
  if (has_own_regex) {
    steps.push_back(
        step("Split").set("pattern", Json::object().set("Regex", entry.regex)).set("behavior", "Isolated").set("invert", false));
  }
  steps.push_back(std::move(bytes));
  return steps.as_array().size() == 1 ? steps.as_array()[0] : step("Sequence").set("pretokenizers", std::move(steps));
}

std::span<const PreTokenizer> pre_tokenizers() { return kTable; }

const PreTokenizer* find_pre_tokenizer(std::string_view name) {
  for (const PreTokenizer& entry : kTable) {
    if (name == entry.name) return &entry;
  }
  return nullptr;
}

Result<const PreTokenizer*> match_pre_tokenizer(const Json& tokenizer) {
  const Json steps = steps_of(tokenizer.find("normalizer"), tokenizer.find("pre_tokenizer"));
  for (const PreTokenizer& entry : kTable) {
    const Json normalizer = normalizer_json(entry), pre_tokenizer = pre_tokenizer_json(entry);
    if (steps_of(&normalizer, &pre_tokenizer) == steps) return &entry;
  }
  return Status::unsupported("tokenizer.json: its pre-tokenizer " + quoted(steps.dump(), 160) +
                             " has no name in GGUF that this build knows; keep the Hugging Face folder");
}

}  // namespace atelier::convert
