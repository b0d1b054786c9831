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
  return bert_post_processor(cls, sep);
}

PostProcessorResult create_roberta(const Json& json, const std::string& name) {
  ATELIER_TRY(const bool trims, json.get_bool("trim_offsets", true));
  ATELIER_TRY(const bool add_prefix_space, json.get_bool("add_prefix_space", true));
  std::vector<std::unique_ptr<PostProcessor>> steps;
  if (trims) steps.push_back(trim_offsets_post_processor(add_prefix_space));
  ATELIER_TRY(const TokenId cls, parse_pair(json, "cls", name));
  ATELIER_TRY(const TokenId sep, parse_pair(json, "sep", name));
  steps.push_back(surround_post_processor({{cls}, {sep, sep}, {sep}, /*has_pairs=*/true}));
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

// The pieces of a template "single" or "pair": the special tokens before, between and behind its sequences.
struct Template {
  std::vector<std::vector<TokenId>> specials = {{}};  // one more than sequences
  std::vector<std::string> sequences;                 // "A", "B"
  int32_t last_segment = 0;                           // of the last sequence
};

Result<Template> parse_template(const Json& json, const char* key, const std::string& name) {
  ATELIER_TRY(const Json::Array* pieces, get_array(json, key, name));
  Template out;
  for (const Json& piece : *pieces) {
    if (const Json* sequence = piece.find("Sequence")) {
      out.specials.emplace_back();
      ATELIER_TRY(out.sequences.emplace_back(), sequence->get_string("id", "A"));
      ATELIER_TRY(const int64_t segment, sequence->get_int("type_id", 0));
      out.last_segment = segment == 1 ? 1 : 0;
      continue;
    }
    const Json* special = piece.find("SpecialToken");
    if (special == nullptr) return Status::corrupt(name + ": post_processor: a template piece is neither Sequence nor SpecialToken");
    ATELIER_TRY(const std::string token, special->get_string("id"));
    ATELIER_RETURN_IF_ERROR(append_template_ids(json, token, name, out.specials.back()));
  }
  return out;
}

// Special tokens around one sequence A, and between A and B where the template for pairs has the same around them.
PostProcessorResult create_template(const Json& json, const std::string& name) {
  ATELIER_TRY(const Template single, parse_template(json, "single", name));
  if (single.sequences.size() != 1) {
    return Status::unsupported(name + ": post_processor: the template for one text names it " + std::to_string(single.sequences.size()) +
                               " times");
  }
  TextFrame frame{single.specials[0], {}, single.specials[1]};
  if (const Json* pieces = json.find("pair"); pieces != nullptr && pieces->is_array()) {
    ATELIER_TRY(const Template pair, parse_template(json, "pair", name));
    const bool has_both = pair.sequences == std::vector<std::string>{"A", "B"};
    if (has_both && !pair.specials[1].empty() && pair.specials[0] == frame.before && pair.specials[2] == frame.after) {
      frame.between = pair.specials[1];
      frame.second_segment = pair.last_segment;
      frame.has_pairs = true;
    }
  }
  return surround_post_processor(std::move(frame));
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
