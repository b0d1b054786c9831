// The expression half of the parser: a recursive descent with one function per level of precedence, lowest first.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "atelier/tokenize/jinja/ast.h"
#include "atelier/tokenize/jinja/lexer.h"

namespace atelier::tokenize::jinja {

class ExpressionParser {
 protected:
  explicit ExpressionParser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  // The stream of tokens.
  const Token& current() const { return tokens_[position_]; }
  const Token& look_ahead() const { return tokens_[std::min(position_ + 1, tokens_.size() - 1)]; }
  void advance() { position_ += position_ + 1 < tokens_.size(); }
  bool skip_operator(const char* symbol);
  bool skip_name(const char* name);
  void expect_operator(const char* symbol);
  std::string expect_name();
  [[noreturn]] void fail(const std::string& what, int line = 0) const;

  // `with_conditional` is false where "x if y" would swallow the "if" of a for loop.
  ExprPtr expression(bool with_conditional = true);
  // An expression, or a tuple when commas follow. It ends before a closing token or the name `end_name`.
  ExprPtr tuple(bool with_conditional, const char* end_name, bool is_parenthesised);
  FilterCall filter_call();
  CallArguments call_arguments();
  Target target(bool with_namespace, const char* end_name);

  ExprPtr make(int line, Expr::Node node, int height);

  // Which of the special names varargs, kwargs and caller are read by the macros around the current token.
  std::vector<Macro*> open_macros_;
  int depth_ = 0;

 private:
  ExprPtr conditional();
  ExprPtr logic(bool is_and);
  ExprPtr negation();
  ExprPtr comparison();
  ExprPtr sum();
  ExprPtr concatenation();
  ExprPtr product();
  ExprPtr power();
  ExprPtr unary(bool with_filter);
  ExprPtr primary();
  ExprPtr name_or_constant();
  ExprPtr list();
  ExprPtr dict();
  ExprPtr postfix(ExprPtr operand);
  ExprPtr filters_and_tests(ExprPtr operand);
  ExprPtr subscript(ExprPtr operand);
  ExprPtr bracketed_key(ExprPtr operand, int line);
  ExprPtr call(ExprPtr callee);
  ExprPtr test(ExprPtr operand);
  std::string dotted_name();
  Target single_target(bool with_namespace);
  bool is_tuple_end(const char* end_name) const;
  bool at_comparison(Comparison& out, int& num_tokens) const;
  void note_special_name(const std::string& name);

  std::vector<Token> tokens_;
  size_t position_ = 0;
};

}  // namespace atelier::tokenize::jinja
