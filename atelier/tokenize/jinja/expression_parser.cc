#include "atelier/tokenize/jinja/expression_parser.h"

#include <algorithm>

#include "atelier/base/strings.h"

namespace atelier::tokenize::jinja {

namespace {

int height_of(const ExprPtr& expr) { return expr ? expr->height : 0; }

int height_of(const ExprList& list) {
  int height = 0;
  for (const ExprPtr& expr : list) height = std::max(height, expr->height);
  return height;
}

template <typename Pairs>
int height_of_second(const Pairs& pairs) {
  int height = 0;
  for (const auto& pair : pairs) height = std::max(height, pair.second->height);
  return height;
}

int height_of(const CallArguments& arguments) {
  return std::max({height_of(arguments.positional), height_of_second(arguments.keyword), height_of(arguments.dynamic_positional),
                   height_of(arguments.dynamic_keyword)});
}

// A list with one entry: braced initialisation would copy.
ExprList list_of(ExprPtr first) {
  ExprList list;
  list.push_back(std::move(first));
  return list;
}

}  // namespace

bool ExpressionParser::skip_operator(const char* symbol) {
  if (!current().is_operator(symbol)) return false;
  advance();
  return true;
}

bool ExpressionParser::skip_name(const char* name) {
  if (!current().is_name(name)) return false;
  advance();
  return true;
}

void ExpressionParser::expect_operator(const char* symbol) {
  if (!skip_operator(symbol)) fail(std::string("expected '") + symbol + "', got " + current().describe());
}

std::string ExpressionParser::expect_name() {
  if (current().type != Token::Type::kName) fail("expected a name, got " + current().describe());
  std::string name = current().text;
  advance();
  return name;
}

void ExpressionParser::fail(const std::string& what, int line) const {
  throw TemplateError(what, StatusCode::kInvalidArgument, line ? line : current().line);
}

ExprPtr ExpressionParser::make(int line, Expr::Node node, int height) {
  if (height >= kMaxRecursion) fail("an expression is nested deeper than " + std::to_string(kMaxRecursion), line);
  return std::make_unique<Expr>(Expr{line, height + 1, std::move(node)});
}

ExprPtr ExpressionParser::expression(bool with_conditional) {
  DepthGuard guard(depth_, kMaxRecursion, "the template is");
  return with_conditional ? conditional() : logic(false);
}

ExprPtr ExpressionParser::conditional() {
  int line = current().line;
  ExprPtr value = logic(false);
  while (skip_name("if")) {
    ExprPtr condition = logic(false);
    ExprPtr otherwise = skip_name("else") ? expression() : nullptr;
    int height = std::max({height_of(value), height_of(condition), height_of(otherwise)});
    value = make(line, Conditional{std::move(condition), std::move(value), std::move(otherwise)}, height);
  }
  return value;
}

ExprPtr ExpressionParser::logic(bool is_and) {
  int line = current().line;
  auto operand = [&] { return is_and ? negation() : logic(true); };
  ExprPtr first = operand();
  if (!current().is_name(is_and ? "and" : "or")) return first;
  ExprList operands = list_of(std::move(first));
  while (skip_name(is_and ? "and" : "or")) operands.push_back(operand());
  int height = height_of(operands);
  return make(line, Logic{is_and, std::move(operands)}, height);
}

ExprPtr ExpressionParser::negation() {
  int line = current().line;
  if (!skip_name("not")) return comparison();
  DepthGuard guard(depth_, kMaxRecursion, "the template is");
  ExprPtr operand = negation();
  int height = height_of(operand);
  return make(line, NotExpr{std::move(operand)}, height);
}

bool ExpressionParser::at_comparison(Comparison& out, int& num_tokens) const {
  num_tokens = 1;
  if (current().is_name("in")) return out = Comparison::kIn, true;
  if (current().is_name("not") && look_ahead().is_name("in")) return out = Comparison::kNotIn, num_tokens = 2, true;
  static constexpr std::pair<const char*, Comparison> kSymbols[] = {{"==", Comparison::kEqual},  {"!=", Comparison::kNotEqual},
                                                                    {"<", Comparison::kLess},    {"<=", Comparison::kLessEqual},
                                                                    {">", Comparison::kGreater}, {">=", Comparison::kGreaterEqual}};
  for (const auto& [symbol, comparison] : kSymbols) {
    if (current().is_operator(symbol)) return out = comparison, true;
  }
  return false;
}

ExprPtr ExpressionParser::comparison() {
  int line = current().line;
  ExprPtr first = sum();
  std::vector<std::pair<Comparison, ExprPtr>> rest;
  Comparison comparison;
  for (int num_tokens; at_comparison(comparison, num_tokens);) {
    for (; num_tokens > 0; --num_tokens) advance();
    rest.emplace_back(comparison, sum());
  }
  if (rest.empty()) return first;
  int height = std::max(height_of(first), height_of_second(rest));
  return make(line, Compare{std::move(first), std::move(rest)}, height);
}

ExprPtr ExpressionParser::sum() {
  int line = current().line;
  ExprPtr first = concatenation();
  std::vector<std::pair<Arithmetic, ExprPtr>> rest;
  while (current().is_operator("+") || current().is_operator("-")) {
    Arithmetic op = current().is_operator("+") ? Arithmetic::kAdd : Arithmetic::kSubtract;
    advance();
    rest.emplace_back(op, concatenation());
  }
  if (rest.empty()) return first;
  int height = std::max(height_of(first), height_of_second(rest));
  return make(line, Chain{std::move(first), std::move(rest)}, height);
}

ExprPtr ExpressionParser::concatenation() {
  int line = current().line;
  ExprPtr first = product();
  if (!current().is_operator("~")) return first;
  ExprList parts = list_of(std::move(first));
  while (skip_operator("~")) parts.push_back(product());
  int height = height_of(parts);
  return make(line, Concat{std::move(parts)}, height);
}

ExprPtr ExpressionParser::product() {
  int line = current().line;
  ExprPtr first = power();
  std::vector<std::pair<Arithmetic, ExprPtr>> rest;
  for (;;) {
    Arithmetic op;
    if (skip_operator("*")) {
      op = Arithmetic::kMultiply;
    } else if (skip_operator("/")) {
      op = Arithmetic::kDivide;
    } else if (skip_operator("//")) {
      op = Arithmetic::kFloorDivide;
    } else if (skip_operator("%")) {
      op = Arithmetic::kModulo;
    } else {
      break;
    }
    rest.emplace_back(op, power());
  }
  if (rest.empty()) return first;
  int height = std::max(height_of(first), height_of_second(rest));
  return make(line, Chain{std::move(first), std::move(rest)}, height);
}

// Groups from the left, as Jinja's does: 2**3**2 is 64.
ExprPtr ExpressionParser::power() {
  int line = current().line;
  ExprPtr first = unary(true);
  std::vector<std::pair<Arithmetic, ExprPtr>> rest;
  while (skip_operator("**")) rest.emplace_back(Arithmetic::kPower, unary(true));
  if (rest.empty()) return first;
  int height = std::max(height_of(first), height_of_second(rest));
  return make(line, Chain{std::move(first), std::move(rest)}, height);
}

ExprPtr ExpressionParser::unary(bool with_filter) {
  DepthGuard guard(depth_, kMaxRecursion, "the template is");
  int line = current().line;
  ExprPtr operand;
  if (current().is_operator("-") || current().is_operator("+")) {
    bool is_minus = current().is_operator("-");
    advance();
    operand = unary(false);
    int height = height_of(operand);
    operand = make(line, Unary{is_minus, std::move(operand)}, height);
  } else {
    operand = primary();
  }
  operand = postfix(std::move(operand));
  return with_filter ? filters_and_tests(std::move(operand)) : std::move(operand);
}

ExprPtr ExpressionParser::primary() {
  const Token& token = current();
  int line = token.line;
  switch (token.type) {
    case Token::Type::kName:
      return name_or_constant();
    case Token::Type::kInteger:
    case Token::Type::kFloat: {
      Value value = token.type == Token::Type::kInteger ? Value::integer(token.integer) : Value::real(token.real);
      advance();
      return make(line, Constant{value}, 0);
    }
    case Token::Type::kString: {
      std::string text;
      for (; current().type == Token::Type::kString; advance()) text += current().text;
      return make(line, Constant{Value::constant(std::move(text))}, 0);
    }
    default:
      break;
  }
  if (token.is_operator("[")) return list();
  if (token.is_operator("{")) return dict();
  if (!skip_operator("(")) fail("unexpected " + token.describe());
  ExprPtr inside = tuple(true, nullptr, true);
  expect_operator(")");
  return inside;
}

void ExpressionParser::note_special_name(const std::string& name) {
  for (Macro* macro : open_macros_) {
    macro->uses_varargs |= name == "varargs";
    macro->uses_kwargs |= name == "kwargs";
    macro->uses_caller |= name == "caller";
  }
}

ExprPtr ExpressionParser::name_or_constant() {
  int line = current().line;
  std::string name = expect_name();
  if (name == "true" || name == "True") return make(line, Constant{Value::boolean(true)}, 0);
  if (name == "false" || name == "False") return make(line, Constant{Value::boolean(false)}, 0);
  if (name == "none" || name == "None") return make(line, Constant{Value()}, 0);
  note_special_name(name);
  return make(line, Name{std::move(name)}, 0);
}

bool ExpressionParser::is_tuple_end(const char* end_name) const {
  Token::Type type = current().type;
  return type == Token::Type::kVariableEnd || type == Token::Type::kBlockEnd || current().is_operator(")") ||
         (end_name != nullptr && current().is_name(end_name));
}

ExprPtr ExpressionParser::tuple(bool with_conditional, const char* end_name, bool is_parenthesised) {
  int line = current().line;
  ExprList items;
  bool is_tuple = false;
  for (;;) {
    if (!items.empty()) expect_operator(",");
    if (is_tuple_end(end_name)) break;
    items.push_back(expression(with_conditional));
    if (!current().is_operator(",")) break;
    is_tuple = true;
  }
  if (!is_tuple && !items.empty()) return std::move(items[0]);
  if (!is_tuple && !is_parenthesised) fail("Expected an expression, got " + current().describe());
  int height = height_of(items);
  return make(line, ListExpr{std::move(items), true}, height);
}

ExprPtr ExpressionParser::list() {
  int line = current().line;
  expect_operator("[");
  ExprList items;
  while (!current().is_operator("]")) {
    if (!items.empty()) expect_operator(",");
    if (current().is_operator("]")) break;
    items.push_back(expression());
  }
  expect_operator("]");
  int height = height_of(items);
  return make(line, ListExpr{std::move(items), false}, height);
}

ExprPtr ExpressionParser::dict() {
  int line = current().line;
  expect_operator("{");
  std::vector<std::pair<ExprPtr, ExprPtr>> members;
  int height = 0;
  while (!current().is_operator("}")) {
    if (!members.empty()) expect_operator(",");
    if (current().is_operator("}")) break;
    ExprPtr key = expression();
    expect_operator(":");
    ExprPtr value = expression();
    height = std::max({height, height_of(key), height_of(value)});
    members.emplace_back(std::move(key), std::move(value));
  }
  expect_operator("}");
  return make(line, DictExpr{std::move(members)}, height);
}

ExprPtr ExpressionParser::postfix(ExprPtr operand) {
  for (;;) {
    if (current().is_operator(".") || current().is_operator("[")) {
      operand = subscript(std::move(operand));
    } else if (current().is_operator("(")) {
      operand = call(std::move(operand));
    } else {
      return operand;
    }
  }
}

ExprPtr ExpressionParser::filters_and_tests(ExprPtr operand) {
  for (;;) {
    int line = current().line;
    if (skip_operator("|")) {
      FilterCall filter = filter_call();
      int height = std::max(height_of(operand), height_of(filter.arguments));
      operand = make(line, Filter{std::move(operand), std::move(filter)}, height);
    } else if (skip_name("is")) {
      operand = test(std::move(operand));
    } else if (current().is_operator("(")) {
      operand = call(std::move(operand));
    } else {
      return operand;
    }
  }
}

ExprPtr ExpressionParser::subscript(ExprPtr operand) {
  int line = current().line;
  int height = height_of(operand);
  if (skip_operator("[")) return bracketed_key(std::move(operand), line);
  expect_operator(".");
  if (current().type == Token::Type::kInteger) {
    ExprPtr key = make(line, Constant{Value::integer(current().integer)}, 0);
    advance();
    return make(line, GetItem{std::move(operand), std::move(key)}, height);
  }
  if (current().type != Token::Type::kName) fail("expected name or number");
  return make(line, GetAttribute{std::move(operand), expect_name()}, height);
}

// What stands in brackets: a key, a slice, or keys with commas, which are a tuple.
ExprPtr ExpressionParser::bracketed_key(ExprPtr operand, int line) {
  auto bound = [&]() -> ExprPtr {
    bool is_absent = current().is_operator(":") || current().is_operator("]") || current().is_operator(",");
    return is_absent ? nullptr : expression();
  };
  if (current().is_operator("]") || current().is_operator(",")) fail("expected subscript expression", line);
  ExprPtr key = bound();
  if (skip_operator(":")) {
    ExprPtr stop = bound();
    ExprPtr step = skip_operator(":") ? bound() : nullptr;
    if (current().is_operator(",")) fail("slices in several dimensions are not supported", line);
    expect_operator("]");
    int height = std::max({height_of(operand), height_of(key), height_of(stop), height_of(step)});
    return make(line, Slice{std::move(operand), std::move(key), std::move(stop), std::move(step)}, height);
  }
  if (current().is_operator(",")) {
    ExprList keys = list_of(std::move(key));
    while (skip_operator(",")) keys.push_back(expression());
    int height = height_of(keys);
    key = make(line, ListExpr{std::move(keys), true}, height);
  }
  expect_operator("]");
  int height = std::max(height_of(operand), height_of(key));
  return make(line, GetItem{std::move(operand), std::move(key)}, height);
}

CallArguments ExpressionParser::call_arguments() {
  int line = current().line;
  expect_operator("(");
  CallArguments arguments;
  auto ensure = [&](bool is_valid) {
    if (!is_valid) fail("invalid syntax for function call expression", line);
  };
  bool is_first = true;
  while (!current().is_operator(")")) {
    if (!is_first) {
      expect_operator(",");
      if (current().is_operator(")")) break;
    }
    is_first = false;
    if (skip_operator("*")) {
      ensure(!arguments.dynamic_positional && !arguments.dynamic_keyword);
      arguments.dynamic_positional = expression();
    } else if (skip_operator("**")) {
      ensure(!arguments.dynamic_keyword);
      arguments.dynamic_keyword = expression();
    } else if (current().type == Token::Type::kName && look_ahead().is_operator("=")) {
      ensure(!arguments.dynamic_keyword);
      std::string name = expect_name();
      advance();
      arguments.keyword.emplace_back(std::move(name), expression());
    } else {
      ensure(!arguments.dynamic_positional && !arguments.dynamic_keyword && arguments.keyword.empty());
      arguments.positional.push_back(expression());
    }
  }
  expect_operator(")");
  return arguments;
}

ExprPtr ExpressionParser::call(ExprPtr callee) {
  int line = current().line;
  CallArguments arguments = call_arguments();
  int height = std::max(height_of(callee), height_of(arguments));
  return make(line, Call{std::move(callee), std::move(arguments)}, height);
}

std::string ExpressionParser::dotted_name() {
  std::string name = expect_name();
  while (skip_operator(".")) name += "." + expect_name();
  return name;
}

FilterCall ExpressionParser::filter_call() {
  int line = current().line;
  std::string name = dotted_name();
  return {std::move(name), current().is_operator("(") ? call_arguments() : CallArguments(), line};
}

ExprPtr ExpressionParser::test(ExprPtr operand) {
  int line = current().line;
  bool is_negated = skip_name("not");
  std::string name = dotted_name();
  CallArguments arguments;
  if (current().is_operator("(")) {
    arguments = call_arguments();
  } else {
    Token::Type type = current().type;
    bool is_name = type == Token::Type::kName;
    bool is_connective = current().is_name("else") || current().is_name("or") || current().is_name("and");
    bool is_literal = type == Token::Type::kString || type == Token::Type::kInteger || type == Token::Type::kFloat ||
                      current().is_operator("[") || current().is_operator("{");
    if (current().is_name("is")) fail("You cannot chain multiple tests with is");
    if (is_literal || (is_name && !is_connective)) arguments.positional.push_back(postfix(primary()));
  }
  int height = std::max(height_of(operand), height_of(arguments));
  ExprPtr result = make(line, Test{std::move(operand), std::move(name), std::move(arguments)}, height);
  return is_negated ? make(line, NotExpr{std::move(result)}, height + 1) : std::move(result);
}

Target ExpressionParser::single_target(bool with_namespace) {
  DepthGuard guard(depth_, kMaxRecursion, "the template is");
  if (skip_operator("(")) {
    Target inside = target(with_namespace, nullptr);
    expect_operator(")");
    return inside;
  }
  static constexpr const char* kConstants[] = {"true", "false", "none", "True", "False", "None"};
  for (const char* constant : kConstants) {
    if (current().is_name(constant)) fail("can't assign to '" + current().text + "'");
  }
  Target single;
  single.name = expect_name();
  if (with_namespace && skip_operator(".")) single.attribute = expect_name();
  return single;
}

Target ExpressionParser::target(bool with_namespace, const char* end_name) {
  Target first = single_target(with_namespace);
  if (!current().is_operator(",")) return first;
  Target all;
  all.is_tuple = true;
  all.items.push_back(std::move(first));
  while (skip_operator(",")) {
    if (is_tuple_end(end_name) || current().is_operator("=")) break;
    all.items.push_back(single_target(with_namespace));
  }
  return all;
}

}  // namespace atelier::tokenize::jinja
