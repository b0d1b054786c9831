#include "atelier/tokenize/jinja/parser.h"

#include <algorithm>

#include "atelier/base/strings.h"
#include "atelier/tokenize/jinja/expression_parser.h"

namespace atelier::tokenize::jinja {

namespace {

using StmtPtr = std::unique_ptr<Stmt>;

bool assigns_loop(const Target& target) {
  return target.name == "loop" || std::any_of(target.items.begin(), target.items.end(), assigns_loop);
}

class Parser : private ExpressionParser {
 public:
  explicit Parser(std::vector<Token> tokens) : ExpressionParser(std::move(tokens)) {}

  Body run() { return body({}); }

 private:
  // Statements up to a tag that begins with one of `ends`, which stays the current token; to the end of the template when empty.
  Body body(std::initializer_list<const char*> ends);
  Body body_until(const char* end);  // consumes the end tag's name
  // A body of its own function: break and continue of a loop around it do not reach into it.
  Body function_body(const char* end, Macro* macro);

  void expect_block_end();
  StmtPtr statement();
  void print(int line, Body& around);  // {% print a, b %}
  Stmt::Node for_loop();
  Stmt::Node if_chain();
  Stmt::Node set();
  Stmt::Node macro();
  Stmt::Node call_block();
  Stmt::Node filter_block();
  Stmt::Node with();
  Stmt::Node block();
  Stmt::Node autoescape();
  Stmt::Node loop_control(bool is_break);
  void signature(Macro& macro);
  std::vector<FilterCall> filters();

  int num_loops_ = 0;  // around the current token, inside its function
};

Body Parser::body(std::initializer_list<const char*> ends) {
  DepthGuard guard(depth_, kMaxRecursion, "the template is");
  Body statements;
  while (current().type != Token::Type::kEnd) {
    int line = current().line;
    if (current().type == Token::Type::kData) {
      statements.push_back(std::make_unique<Stmt>(Stmt{line, Data{Value::constant(current().text)}}));
      advance();
    } else if (current().type == Token::Type::kVariableBegin) {
      advance();
      statements.push_back(std::make_unique<Stmt>(Stmt{line, Output{tuple(true, nullptr, false)}}));
      if (current().type != Token::Type::kVariableEnd) fail("expected '}}', got " + current().describe());
      advance();
    } else {
      advance();  // "{%"
      if (std::any_of(ends.begin(), ends.end(), [&](const char* end) { return current().is_name(end); })) return statements;
      if (skip_name("print")) {
        print(line, statements);
      } else {
        statements.push_back(statement());
      }
      expect_block_end();
    }
  }
  if (ends.size() > 0) fail(std::string("the template ends where {% ") + *(ends.end() - 1) + " %} is missing");
  return statements;
}

Body Parser::body_until(const char* end) {
  expect_block_end();
  Body statements = body({end});
  advance();
  return statements;
}

Body Parser::function_body(const char* end, Macro* macro) {
  int num_loops_outside = std::exchange(num_loops_, 0);
  if (macro) open_macros_.push_back(macro);
  Body statements = body_until(end);
  if (macro) open_macros_.pop_back();
  num_loops_ = num_loops_outside;
  return statements;
}

void Parser::expect_block_end() {
  if (current().type != Token::Type::kBlockEnd) fail("expected '%}', got " + current().describe());
  advance();
}

void Parser::print(int line, Body& around) {
  bool is_first = true;
  while (current().type != Token::Type::kBlockEnd) {
    if (!is_first) expect_operator(",");
    is_first = false;
    around.push_back(std::make_unique<Stmt>(Stmt{line, Output{expression()}}));
  }
}

StmtPtr Parser::statement() {
  int line = current().line;
  auto done = [&](Stmt::Node node) { return std::make_unique<Stmt>(Stmt{line, std::move(node)}); };
  std::string tag = expect_name();
  if (tag == "for") return done(for_loop());
  if (tag == "if") return done(if_chain());
  if (tag == "set") return done(set());
  if (tag == "macro") return done(macro());
  if (tag == "call") return done(call_block());
  if (tag == "filter") return done(filter_block());
  if (tag == "with") return done(with());
  if (tag == "block") return done(block());
  if (tag == "autoescape") return done(autoescape());
  if (tag == "generation") return done(Generation{function_body("endgeneration", nullptr)});
  if (tag == "break" || tag == "continue") return done(loop_control(tag == "break"));
  static constexpr const char* kKnown[] = {"extends", "include", "import", "from"};
  for (const char* known : kKnown) {
    if (tag == known) throw TemplateError("{% " + tag + " %} is not supported in a chat template", StatusCode::kUnsupported, line);
  }
  fail("unknown tag " + quoted(tag), line);
}

Stmt::Node Parser::loop_control(bool is_break) {
  if (num_loops_ == 0) fail(is_break ? "'break' outside loop" : "'continue' outside loop");
  return is_break ? Stmt::Node(Break{}) : Stmt::Node(Continue{});
}

Stmt::Node Parser::for_loop() {
  For loop;
  loop.target = target(false, "in");
  if (assigns_loop(loop.target)) fail("Can't assign to special loop variable in for-loop target");
  if (!skip_name("in")) fail("expected 'in', got " + current().describe());
  loop.iterable = tuple(false, "recursive", false);
  if (skip_name("if")) loop.test = expression();
  loop.is_recursive = skip_name("recursive");
  expect_block_end();
  ++num_loops_;
  loop.body = body({"endfor", "else"});
  --num_loops_;
  if (skip_name("else")) {
    loop.otherwise = body_until("endfor");
  } else {
    advance();
  }
  return loop;
}

Stmt::Node Parser::if_chain() {
  If chain;
  for (;;) {
    ExprPtr test = tuple(false, nullptr, false);
    expect_block_end();
    chain.branches.emplace_back(std::move(test), body({"elif", "else", "endif"}));
    if (skip_name("elif")) continue;
    if (skip_name("else")) {
      chain.otherwise = body_until("endif");
    } else {
      advance();
    }
    return chain;
  }
}

std::vector<FilterCall> Parser::filters() {
  std::vector<FilterCall> calls;
  do {
    calls.push_back(filter_call());
  } while (skip_operator("|"));
  return calls;
}

Stmt::Node Parser::set() {
  Target assigned = target(true, nullptr);
  if (skip_operator("=")) return Set{std::move(assigned), tuple(true, nullptr, false)};
  SetBlock block{std::move(assigned), {}, {}};
  if (skip_operator("|")) block.filters = filters();
  block.body = body_until("endset");
  return block;
}

void Parser::signature(Macro& macro) {
  expect_operator("(");
  while (!current().is_operator(")")) {
    if (!macro.parameters.empty()) expect_operator(",");
    macro.parameters.push_back(expect_name());
    if (skip_operator("=")) {
      macro.defaults.push_back(expression());
    } else if (!macro.defaults.empty()) {
      fail("non-default argument follows default argument");
    }
  }
  expect_operator(")");
}

Stmt::Node Parser::macro() {
  Macro definition;
  definition.name = expect_name();
  signature(definition);
  definition.body = function_body("endmacro", &definition);
  return definition;
}

Stmt::Node Parser::call_block() {
  CallBlock block;
  block.caller.name = "caller";
  int line = current().line;
  if (current().is_operator("(")) signature(block.caller);
  block.call = expression();
  if (!std::holds_alternative<Call>(block.call->node)) fail("expected call", line);
  block.caller.body = function_body("endcall", &block.caller);
  return block;
}

Stmt::Node Parser::filter_block() {
  std::vector<FilterCall> calls = filters();
  return FilterBlock{std::move(calls), body_until("endfilter")};
}

Stmt::Node Parser::with() {
  With with;
  while (current().type != Token::Type::kBlockEnd) {
    if (!with.variables.empty()) expect_operator(",");
    Target variable = target(false, nullptr);
    expect_operator("=");
    with.variables.emplace_back(std::move(variable), expression());
  }
  with.body = body_until("endwith");
  return with;
}

// Only {% autoescape false %}, which changes nothing.
Stmt::Node Parser::autoescape() {
  ExprPtr is_on = expression();
  auto* constant = std::get_if<Constant>(&is_on->node);
  if (!constant || truthy(constant->value)) {
    throw TemplateError("{% autoescape %} other than false is not supported in a chat template", StatusCode::kUnsupported, is_on->line);
  }
  return With{{}, body_until("endautoescape")};
}

Stmt::Node Parser::block() {
  Block block;
  std::string name = expect_name();
  block.is_scoped = skip_name("scoped");
  skip_name("required");
  block.body = function_body("endblock", nullptr);
  skip_name(name.c_str());
  return block;
}

}  // namespace

Body parse(const std::string& source) { return Parser(tokenize(source)).run(); }

}  // namespace atelier::tokenize::jinja
