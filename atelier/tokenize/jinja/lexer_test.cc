#include "atelier/tokenize/jinja/lexer.h"

#include <gtest/gtest.h>

#include "atelier/tokenize/jinja/error.h"

namespace atelier::tokenize::jinja {
namespace {

// The data tokens, each in brackets, with tags as dots.
std::string data_of(const std::string& source) {
  std::string out;
  for (const Token& token : tokenize(source)) {
    if (token.type == Token::Type::kData) out += "[" + token.text + "]";
    if (token.type == Token::Type::kBlockBegin || token.type == Token::Type::kVariableBegin) out += ".";
  }
  return out;
}

int line_of_error(const std::string& source) {
  try {
    tokenize(source);
  } catch (const TemplateError& error) {
    return error.line;
  }
  return -1;
}

TEST(Lexer, the_line_of_a_block_loses_its_indent_and_its_newline) {
  EXPECT_EQ(data_of("a\n  {% x %}\nb"), "[a\n].[b]");
  EXPECT_EQ(data_of("a  {% x %}\nb"), "[a  ].[b]");
  EXPECT_EQ(data_of("  {{ x }}\nb"), "[  ].[\nb]");
  EXPECT_EQ(data_of("{% x %}\n  {% x %}\n  y"), "..[  y]");
}

TEST(Lexer, signs_override_it) {
  EXPECT_EQ(data_of("a \n {%- x -%} \n b"), "[a].[b]");
  EXPECT_EQ(data_of("  {%+ x +%}\nb"), "[  ].[\nb]");
  EXPECT_EQ(data_of("a {{- x -}} b"), "[a].[b]");
}

TEST(Lexer, newlines_are_one_character_and_the_last_goes) {
  EXPECT_EQ(data_of("a\r\nb\rc\n"), "[a\nb\nc]");
  EXPECT_EQ(data_of("a\n\n"), "[a\n]");
}

TEST(Lexer, tokens_know_their_line) {
  std::vector<Token> tokens = tokenize("a\n{{ x\n+ 'y\nz'\n+ 1 }}");
  ASSERT_EQ(tokens.size(), 9u);
  EXPECT_EQ(tokens[2].line, 2);  // x
  EXPECT_EQ(tokens[3].line, 3);  // +
  EXPECT_EQ(tokens[6].line, 5);  // 1
}

TEST(Lexer, errors_know_their_line) {
  EXPECT_EQ(line_of_error("a\n{# never"), 2);
  EXPECT_EQ(line_of_error("a\n\n{{ ? }}"), 3);
  EXPECT_EQ(line_of_error("a\n{{ 'x\n"), 2);
  EXPECT_EQ(line_of_error("a\n{{ x"), 2);
  EXPECT_EQ(line_of_error("{% raw %}\n"), 1);
}

TEST(Lexer, a_brace_inside_brackets_does_not_end_the_tag) {
  std::vector<Token> tokens = tokenize("{{ {'a': {}}}}");
  EXPECT_EQ(tokens[tokens.size() - 2].type, Token::Type::kVariableEnd);
  EXPECT_EQ(tokens.size(), 9u);
}

}  // namespace
}  // namespace atelier::tokenize::jinja
