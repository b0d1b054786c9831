// Grammars: the first byte says which notation the rest is in (G: GBNF, S: JSON schema, R: regular expression). What compiles reads a text.
#include "atelier/generate/grammar/automaton.h"
#include "atelier/generate/grammar/gbnf.h"
#include "atelier/generate/grammar/json_schema.h"
#include "atelier/generate/grammar/regex_rules.h"
#include "tests/fuzz/fuzz.h"

using namespace atelier;

namespace {

Result<std::vector<generate::GrammarRule>> rules_of(char notation, const std::string& text) {
  if (notation == 'G') return generate::parse_gbnf(text);
  if (notation == 'R') return generate::regex_rules(text);
  ATELIER_TRY(const Json schema, Json::parse(text, "schema"));
  return generate::json_schema_rules(schema);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto rules = rules_of(static_cast<char>(data[0]), std::string(fuzz::as_text(data + 1, size - 1)));
  fuzz::check_refusal(rules.status());
  if (!rules.ok()) return 0;
  auto grammar = generate::Grammar::compile(*rules);
  fuzz::check_refusal(grammar.status());
  if (!grammar.ok()) return 0;
  generate::GrammarAutomaton automaton(std::move(*grammar));
  for (const std::string_view text : {"{\"a\": [1, 2.5, \"x\\n\"], \"b\": null}", "aaaaaaaaaaaaaaaa", "[[[[[[[[", "\xC3\xA9 2026-11-26"}) {
    const auto state = automaton.step(automaton.start(), text);
    if (state >= 0 && automaton.is_end(state) && !automaton.is_final(state)) fuzz::fail("a place from which no text ends");
  }
  return 0;
}
