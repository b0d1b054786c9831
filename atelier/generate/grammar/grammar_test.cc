#include <gtest/gtest.h>

#include <random>

#include "atelier/generate/grammar/constraint.h"
#include "atelier/generate/grammar/gbnf.h"
#include "atelier/generate/grammar/json_grammar.h"
#include "atelier/generate/grammar/json_schema.h"
#include "atelier/generate/grammar/regex_rules.h"
#include "atelier/generate/grammar/utf8_ranges.h"
#include "atelier/text/utf8.h"

namespace atelier::generate {
namespace {

GrammarAutomaton automaton_of(const Result<std::vector<GrammarRule>>& rules) {
  return GrammarAutomaton(Grammar::compile(rules.value()).value());
}

bool accepts(GrammarAutomaton& automaton, std::string_view text) {
  const auto state = automaton.step(automaton.start(), text);
  return state >= 0 && automaton.is_final(state);
}

bool accepts(const std::vector<GrammarRule>& rules, std::string_view text) {
  GrammarAutomaton automaton = automaton_of(rules);
  return accepts(automaton, text);
}

std::vector<GrammarRule> root(Expression expression) {
  std::vector<GrammarRule> rules;
  rules.push_back({"root", std::move(expression)});
  return rules;
}

TEST(Utf8Ranges, spell_the_code_points_of_the_range_and_no_others) {
  std::mt19937 random(3);
  const auto draw = [&] { return static_cast<char32_t>(random() % (random() % 2 == 0 ? 0x900u : 0x110000u)); };
  for (int i = 0; i < 60; ++i) {
    char32_t first = draw(), last = draw();
    if (last < first) std::swap(first, last);
    GrammarAutomaton automaton = automaton_of(root(Expression::set({{first, last}})));
    for (int j = 0; j < 400; ++j) {
      const char32_t c = j == 0 ? first : j == 1 ? last : j == 2 ? last + 1 : draw();
      if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) continue;
      EXPECT_EQ(accepts(automaton, text::to_utf8(c)), first <= c && c <= last)
          << std::hex << uint32_t{first} << " " << uint32_t{last} << " " << uint32_t{c};
    }
  }
}

TEST(Gbnf, reads_what_llama_cpp_writes) {
  const auto rules = parse_gbnf(R"(# a list
root  ::= item ("," " "? item)* end?   # of items
item  ::= [a-z_]{2,3} | "\"" [^"\\\n]* "\"" |
          "\u00e9\x41"
end   ::= (
  "!" | "?"{2}
)
)");
  ASSERT_TRUE(rules.ok()) << rules.status().message();
  for (const char* text : {"ab", "abc,de", "ab, \"x y\"", "éA", "ab!", "ab,cd??", "\"\""}) EXPECT_TRUE(accepts(*rules, text)) << text;
  for (const char* text : {"", "a", "abcd", "ab,", "ab?", "\"a\"b\"", "é"}) EXPECT_FALSE(accepts(*rules, text)) << text;
}

TEST(Gbnf, errors_name_the_line) {
  const auto message = [](std::string_view text) { return parse_gbnf(text).status().message(); };
  EXPECT_EQ(message("root ::= \"a\"\nroot ::= \"b\""), "grammar: line 2: the rule root is defined twice");
  EXPECT_EQ(message("root ::= \"a"), "grammar: line 1: a literal without its closing \"");
  EXPECT_EQ(message("root ::= x"), "grammar: the rule x is not defined; add x ::= ...");
  EXPECT_EQ(message("root ::= [z-a]"), "grammar: line 1: a range of characters that ends before it begins");
  EXPECT_FALSE(parse_gbnf("root ::= " + std::string(60'000, '(')).ok());
  EXPECT_FALSE(parse_gbnf("root ::= \"a\"{99999999999}").ok());
}

TEST(Grammar, what_has_no_bounded_work_is_refused) {
  const auto message = [](std::string_view text) { return Grammar::compile(parse_gbnf(text).value()).status().message(); };
  EXPECT_EQ(message("root ::= root \"a\" | \"b\""), "rule root: is left-recursive; write the repetition as (...)* instead");
  EXPECT_NE(message("root ::= a b\na ::= \"x\"?\nb ::= root \"y\""), "");
  EXPECT_NE(message("root ::= ((\"a\"{1000}){1000}){1000}"), "");
  // Both ways to read an "a" stay open at every place: the states stay few, since the same place is one place.
  GrammarAutomaton automaton = automaton_of(parse_gbnf("root ::= (\"a\" | [a-b] | \"aa\")*"));
  EXPECT_TRUE(accepts(automaton, std::string(5000, 'a')));
  // Unbounded nesting ends at the depth of the stack.
  GrammarAutomaton nested = automaton_of(parse_gbnf("root ::= \"[\" root? \"]\""));
  EXPECT_TRUE(accepts(nested, std::string(500, '[') + std::string(500, ']')));
  EXPECT_EQ(nested.step(nested.start(), std::string(5000, '[')), GrammarAutomaton::kTooLarge);
  // Repetition by a call at the end does not nest.
  GrammarAutomaton flat = automaton_of(parse_gbnf("root ::= \"a\" root | \"\""));
  EXPECT_TRUE(accepts(flat, std::string(5000, 'a')));
}

TEST(RegexRules, match_from_end_to_end) {
  const auto matches = [](std::string_view pattern, std::string_view text) { return accepts(regex_rules(pattern).value(), text); };
  EXPECT_TRUE(matches(R"(^\d{3}-(x|yz)+$)", "123-xyzx"));
  EXPECT_FALSE(matches(R"(\d{3}-(x|yz)+)", "123-"));
  EXPECT_TRUE(matches("[^a]é?", "bé"));
  EXPECT_FALSE(regex_rules("a(?=b)").ok());
  EXPECT_FALSE(regex_rules("a^b").ok());
  EXPECT_TRUE(accepts(choice_rules({"yes", "no"}).value(), "no"));
  EXPECT_FALSE(accepts(choice_rules({"yes", "no"}).value(), "ye"));
}

TEST(JsonGrammar, integers_between_bounds) {
  for (const auto& [min, max] :
       std::vector<std::pair<int64_t, int64_t>>{{0, 0}, {-3, 12}, {7, 1234}, {99, 100}, {-250, -9}, {1000, 1999}}) {
    GrammarAutomaton automaton = automaton_of(root(json_integer_between(min, max)));
    for (int64_t n = -2100; n <= 2100; ++n)
      EXPECT_EQ(accepts(automaton, std::to_string(n)), min <= n && n <= max) << min << " " << max << " " << n;
    EXPECT_FALSE(accepts(automaton, "007"));
    EXPECT_FALSE(accepts(automaton, "-0"));
  }
  GrammarAutomaton wide = automaton_of(root(json_integer_between(-999'999'999'999'999, 123'456'789'012'345)));
  EXPECT_TRUE(accepts(wide, "123456789012345"));
  EXPECT_FALSE(accepts(wide, "123456789012346"));
  EXPECT_TRUE(accepts(wide, "-999999999999999"));
}

struct SchemaCase {
  const char* schema;
  std::vector<const char*> valid, invalid;
};

TEST(JsonSchema, documents_of_the_grammar_are_those_of_the_schema) {
  const std::vector<SchemaCase> cases = {
      {R"({"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}, "b": {"type": "string"}, "c": {"type": "boolean"}}, "required": ["b"]})",
       {R"({"b": "x"})", R"({"a":5,"b":""})", "{\"b\":\"x\",\n  \"c\": true}", R"({"a": 1, "b": "\n\"", "c": false})"},
       {R"({})", R"({"a": 0, "b": ""})", R"({"b": "x", "a": 1})", R"({"b": "x", "d": 1})", R"({"b": "x",})", R"({"a": 1})"}},
      {R"({"type": "object", "properties": {"ab": {"type": "null"}}, "additionalProperties": {"type": "integer"}})",
       {R"({})", R"({"ab": null, "abc": 1, "a": 2})", R"({"x": 1})"},
       {R"({"ab": 1})", R"({"x": 1, "ab": null})", R"({"a": "s"})"}},
      {R"({"type": "array", "items": {"enum": ["x", 1, null]}, "minItems": 1, "maxItems": 3})",
       {R"(["x"])", R"([1, null,"x"])"},
       {"[]", R"(["x", "x", "x", "x"])", R"([2])"}},
      {R"({"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": {"type": "boolean"}, "minItems": 1})",
       {R"(["a"])", R"(["a", 1])", R"(["a", 1, true, false])"},
       {"[]", "[1]", R"(["a", true])"}},
      {R"({"type": ["string", "null"], "minLength": 2, "maxLength": 3})", {R"("ab")", R"("éöü")", "null"}, {R"("a")", R"("abcd")", "1"}},
      {R"({"type": "string", "pattern": "^a\"b+$"})", {R"("a\"bb")"}, {R"("a\"")", R"("a"b")"}},
      {R"({"type": "string", "pattern": "b"})", {R"("abc")", R"("b")"}, {R"("ac")"}},
      {R"({"type": "string", "format": "date"})", {R"("2026-02-28")", R"("2026-12-31")"}, {R"("2026-02-30")", R"("2026-13-01")"}},
      {R"({"anyOf": [{"type": "integer"}, {"const": {"k": [1, "z"]}}]})", {"12", R"({"k": [1, "z"]})"}, {R"({"k": [1]})", "\"12\""}},
      {R"({"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties": {"v": {"type": "number"}, "kids": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}, "required": ["v"]}}})",
       {R"({"v": 1.5e3})", R"({"v": 1, "kids": [{"v": 2}, {"v": -0.5, "kids": []}]})"},
       {R"({"kids": []})", R"({"v": 1, "kids": [1]})"}},
      {R"({})", {R"({"a": [1, {"b": null}], "c": "d"})", "3", "[]"}, {"{", "[1,]", "nul"}},
  };
  for (const SchemaCase& c : cases) {
    const auto rules = json_schema_rules(Json::parse(c.schema, "schema").value());
    ASSERT_TRUE(rules.ok()) << c.schema << ": " << rules.status().message();
    GrammarAutomaton automaton = automaton_of(rules);
    for (const char* text : c.valid) EXPECT_TRUE(accepts(automaton, text)) << c.schema << " should take " << text;
    for (const char* text : c.invalid) EXPECT_FALSE(accepts(automaton, text)) << c.schema << " should refuse " << text;
  }
}

TEST(JsonSchema, what_it_cannot_hold_to_is_refused_by_name) {
  const auto message = [](const char* schema) { return json_schema_rules(Json::parse(schema, "schema").value()).status().message(); };
  EXPECT_EQ(message(R"({"type": "object", "patternProperties": {}})"), "JSON schema: #: \"patternProperties\" is not supported for object");
  EXPECT_EQ(message(R"({"type": "array", "items": {"type": "number", "minimum": 3}})"),
            "JSON schema: #/items: \"minimum\" is not supported for number");
  EXPECT_EQ(message(R"({"not": {}})"), "JSON schema: #: \"not\" is not supported");
  EXPECT_EQ(message(R"({"$ref": "http://x"})"), "JSON schema: #/$ref: must point into this document, such as #/$defs/name");
  EXPECT_EQ(message(R"({"oneOf": [{"type": "integer"}, {"type": "number"}]})"),
            "JSON schema: #/oneOf: alternatives that may both hold are not supported; use anyOf");
  EXPECT_EQ(message(R"x({"type": "string", "pattern": "(?=a)"})x"), "JSON schema: #: pattern \"(?=a)\": look-around is not supported");
  std::string deep;
  for (int i = 0; i < 60; ++i) deep += R"({"type":"array","items":)";
  EXPECT_NE(message((deep + "{}" + std::string(60, '}')).c_str()).find("nested more than 40 deep"), std::string::npos);
}

// What the trie walk allows, one token after the other.
TEST(Constraint, allows_exactly_the_tokens_that_a_text_of_the_grammar_may_go_on_with) {
  std::vector<std::string> tokens = {"", "a", "ab", "abc", "b", "bc", "c", "\xC3", "\xA9", "é", "éa", ",", ", ", "aa", "cab"};
  const auto vocabulary = std::make_shared<const TokenBytes>(tokens);
  const auto rules = parse_gbnf("root ::= word (\", \" word)*\nword ::= (\"ab\" \"c\"?) | \"\u00e9\" \"a\"*");
  const auto constraint = Constraint::compile(rules, vocabulary).value();
  GrammarAutomaton automaton = automaton_of(rules);
  std::mt19937 random(5);
  for (int round = 0; round < 50; ++round) {
    TokenMask mask = constraint->mask({0});
    std::vector<int32_t> answer;
    std::string text;
    for (int position = 0; position < 12; ++position) {
      std::vector<uint64_t> allowed(1);
      ASSERT_TRUE(mask(answer, allowed).ok());
      std::vector<int32_t> choices;
      for (size_t id = 1; id < tokens.size(); ++id) {
        const bool is_allowed = allowed[0] >> id & 1;
        EXPECT_EQ(is_allowed, automaton.step(automaton.start(), text + tokens[id]) >= 0) << text << " + " << tokens[id];
        if (is_allowed) choices.push_back(static_cast<int32_t>(id));
      }
      EXPECT_EQ(allowed[0] & 1, uint64_t{accepts(automaton, text)}) << text;
      if (choices.empty()) break;
      answer.push_back(choices[random() % choices.size()]);
      text += tokens[static_cast<size_t>(answer.back())];
    }
  }
}

}  // namespace
}  // namespace atelier::generate
