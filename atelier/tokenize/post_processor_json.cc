// The `post_processor` object of a tokenizer.json to post-processors.
#include <limits>

#include "atelier/base/strings.h"
#include "atelier/tokenize/json_pattern.h"
#include "atelier/tokenize/post_processor.h"

namespace atelier::tokenize {
namespace {

using PostProcessorResult = Result<std::unique_ptr<PostProcessor>>;

Result<TokenId> parse_id(const Json& json, const std::string& name) {
  if (json.is_int() && json.as_int() >= 0 && json.as_int() <= std::numeric_limits<TokenId>::max()) {
    return static_cast<TokenId>(json.as_int());
  }
  return Status::corrupt(name + ": post_processor: " + json.dump() + " is no token id");
}

// ["[SEP]", 102]
Result<TokenId> parse_pair(const Json& json, const char* key, const std::string& name) {
  ATELIER_TRY(const Json::Array* pair, get_array(json, key, name));
  if (pair->size() != 2) return Status::corrupt(name + ": post_processor: " + key + " is no pair of token and id");
  return parse_id((*pair)[1], name);
}

PostProcessorResult create_bert(const Json& json, const std::string& name) {
  ATELIER_TRY(const TokenId cls, parse_pair(json, "cls", name));
  ATELIER_TRY(const TokenId sep, parse_pair(json, "sep", name));
  return surround_post_processor({cls}, {sep});
}

PostProcessorResult create_roberta(const Json& json, const std::string& name) {
  ATELIER_TRY(const bool trims, json.get_bool("trim_offsets", true));
  ATELIER_TRY(const bool add_prefix_space, json.get_bool("add_prefix_space", true));
  std::vector<std::unique_ptr<PostProcessor>> steps;
  if (trims) steps.push_back(trim_offsets_post_processor(add_prefix_space));
  ATELIER_TRY(steps.emplace_back(), create_bert(json, name));
  return post_processor_sequence(std::move(steps));
}

// The ids of a special token that a template names.
Status append_template_ids(const Json& json, const std::string& token, const std::string& name, std::vector<TokenId>& out) {
  const Json* tokens = json.find("special_tokens");
  const Json* entry = tokens != nullptr ? tokens->find(token) : nullptr;
  if (entry == nullptr) return Status::corrupt(name + ": post_processor: special_tokens lacks " + quoted(token));
  ATELIER_TRY(const Json::Array* ids, get_array(*entry, "ids", name));
  for (const Json& id : *ids) {
    ATELIER_TRY(out.emplace_back(), parse_id(id, name));
  }
  return {};
}

// The template of a single text: special tokens around one sequence A.
PostProcessorResult create_template(const Json& json, const std::string& name) {
  ATELIER_TRY(const Json::Array* pieces, get_array(json, "single", name));
  std::vector<TokenId> before, after;
  int num_sequences = 0;
  for (const Json& piece : *pieces) {
    if (piece.contains("Sequence")) {
      ++num_sequences;
      continue;
    }
    const Json* special = piece.find("SpecialToken");
    if (special == nullptr) return Status::corrupt(name + ": post_processor: a template piece is neither Sequence nor SpecialToken");
    ATELIER_TRY(const std::string token, special->get_string("id"));
    ATELIER_RETURN_IF_ERROR(append_template_ids(json, token, name, num_sequences == 0 ? before : after));
  }
  if (num_sequences == 1) return surround_post_processor(std::move(before), std::move(after));
  return Status::unsupported(name + ": post_processor: the template for one text names it " + std::to_string(num_sequences) + " times");
}

PostProcessorResult create_sequence(const Json& json, const std::string& name, int depth) {
  ATELIER_TRY(const Json::Array* children, get_array(json, "processors", name));
  std::vector<std::unique_ptr<PostProcessor>> steps;
  for (const Json& child : *children) {
    ATELIER_TRY(steps.emplace_back(), create_post_processor(child, name, depth + 1));
  }
  return post_processor_sequence(std::move(steps));
}

}  // namespace

PostProcessorResult create_post_processor(const Json& json, const std::string& name, int depth) {
  ATELIER_RETURN_IF_ERROR(check_depth(depth, name));
  ATELIER_TRY(const std::string type, json.get_string("type"));
  if (type == "Sequence") return create_sequence(json, name, depth);
  if (type == "TemplateProcessing") return create_template(json, name);
  if (type == "BertProcessing") return create_bert(json, name);
  if (type == "RobertaProcessing") return create_roberta(json, name);
  if (type == "ByteLevel") {
    ATELIER_TRY(const bool trims, json.get_bool("trim_offsets", true));
    ATELIER_TRY(const bool add_prefix_space, json.get_bool("add_prefix_space", true));
    return trims ? trim_offsets_post_processor(add_prefix_space) : post_processor_sequence({});
  }
  return Status::unsupported(name + ": the post-processor type " + quoted(type) + " is not known");
}

}  // namespace atelier::tokenize
