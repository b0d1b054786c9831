#include "atelier/cli/constraint_options.h"

#include "atelier/generate/grammar/constraint.h"
#include "atelier/generate/grammar/gbnf.h"
#include "atelier/generate/grammar/json_schema.h"
#include "atelier/generate/grammar/regex_rules.h"
#include "atelier/io/file.h"

namespace atelier::cli {
namespace {

using Rules = Result<std::vector<generate::GrammarRule>>;

Rules grammar_rules(const std::string& path) {
  ATELIER_TRY(const std::string text, io::read_file(path));
  return generate::parse_gbnf(text);
}

// A file, or the schema itself.
Rules schema_rules(const std::string& schema) {
  std::string text = schema, name = "--json-schema";
  if (!schema.starts_with("{")) {
    name = schema;
    ATELIER_TRY(text, io::read_file(schema));
  }
  ATELIER_TRY(const Json json, Json::parse(text, name));
  return generate::json_schema_rules(json);
}

}  // namespace

void ConstraintArgs::declare(Args& args) {
  args.group("Shape of the answer (docs/guide/constraints.md)");
  args.option("--json-schema", schema_, "SCHEMA", "a JSON document that this schema accepts: a file, or the schema itself");
  args.flag("--json-object", wants_object_, "any JSON object");
  args.option("--grammar", grammar_, "FILE", "a text of this grammar, in GBNF");
  args.option("--regex", regex_, "PATTERN", "a text that this regular expression matches as a whole");
  args.option("--choice", choices_, "TEXT", "one of these texts; repeatable");
}

Status ConstraintArgs::apply(const tokenize::Tokenizer& tokenizer, generate::GenerateOptions& options) const {
  const int num_given = grammar_.has_value() + schema_.has_value() + regex_.has_value() + !choices_.empty() + wants_object_;
  if (num_given == 0) return {};
  if (num_given > 1)
    return Status::invalid("--json-schema, --json-object, --grammar, --regex, --choice: more than one is given; choose one");
  if (options.stop_ids.empty())
    return Status::invalid("--json-schema, --grammar, ...: an answer needs a token that ends it; leave --ignore-eos out");
  const Rules rules = grammar_        ? grammar_rules(*grammar_)
                      : schema_       ? schema_rules(*schema_)
                      : regex_        ? generate::regex_rules(*regex_)
                      : wants_object_ ? Rules(generate::json_object_rules())
                                      : generate::choice_rules(choices_);
  ATELIER_TRY(const auto constraint, generate::Constraint::compile(rules, std::make_shared<const generate::TokenBytes>(tokenizer)));
  options.mask = constraint->mask(options.stop_ids);
  return {};
}

}  // namespace atelier::cli
