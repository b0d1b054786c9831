// The tree of a parsed template. Nodes are plain data; interpreter.h walks them.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "atelier/tokenize/jinja/operators.h"
#include "atelier/tokenize/jinja/value.h"

namespace atelier::tokenize::jinja {

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;
using ExprList = std::vector<ExprPtr>;

// f(a, name=b, *c, **d)
struct CallArguments {
  ExprList positional;
  std::vector<std::pair<std::string, ExprPtr>> keyword;
  ExprPtr dynamic_positional, dynamic_keyword;  // or null
};

struct Constant {
  Value value;
};
struct Name {
  std::string name;
};
struct ListExpr {
  ExprList items;
  bool is_tuple;
};
struct DictExpr {
  std::vector<std::pair<ExprPtr, ExprPtr>> members;
};
struct Unary {  // -x, +x
  bool is_minus;
  ExprPtr operand;
};
struct NotExpr {
  ExprPtr operand;
};
struct Chain {  // first op operand op operand …, from left to right
  ExprPtr first;
  std::vector<std::pair<Arithmetic, ExprPtr>> rest;
};
struct Concat {  // a ~ b ~ c
  ExprList parts;
};
enum class Comparison { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kIn, kNotIn };
struct Compare {  // a < b <= c
  ExprPtr first;
  std::vector<std::pair<Comparison, ExprPtr>> rest;
};
struct Logic {  // a and b and c, a or b or c
  bool is_and;
  ExprList operands;
};
struct Conditional {  // value if test else otherwise
  ExprPtr test, value;
  ExprPtr otherwise;  // or null
};
struct GetAttribute {
  ExprPtr object;
  std::string name;
};
struct GetItem {
  ExprPtr object, key;
};
struct Slice {
  ExprPtr object;
  ExprPtr start, stop, step;  // or null
};
struct Call {
  ExprPtr callee;
  CallArguments arguments;
};
struct FilterCall {
  std::string name;
  CallArguments arguments;
  int line;
};
struct Filter {
  ExprPtr operand;
  FilterCall filter;
};
struct Test {
  ExprPtr operand;
  std::string name;
  CallArguments arguments;
};

struct Expr {
  using Node = std::variant<Constant, Name, ListExpr, DictExpr, Unary, NotExpr, Chain, Concat, Compare, Logic, Conditional, GetAttribute,
                            GetItem, Slice, Call, Filter, Test>;
  int line;
  int height;  // of the tree below, bounded by the parser
  Node node;
};

// What a for or set assigns to: a name, an attribute of a namespace, or a tuple of targets.
struct Target {
  std::string name;
  std::string attribute;      // "" unless `name.attribute`
  std::vector<Target> items;  // of a tuple; `is_tuple` tells () from a name
  bool is_tuple = false;
};

struct Stmt;
using Body = std::vector<std::unique_ptr<Stmt>>;

struct Data {
  Value text;
};
struct Output {
  ExprPtr value;
};
struct For {
  Target target;
  ExprPtr iterable;
  ExprPtr test;  // or null
  bool is_recursive;
  Body body, otherwise;
};
struct If {
  std::vector<std::pair<ExprPtr, Body>> branches;
  Body otherwise;
};
struct Set {
  Target target;
  ExprPtr value;
};
struct SetBlock {
  Target target;
  std::vector<FilterCall> filters;
  Body body;
};
struct Macro {
  std::string name;
  std::vector<std::string> parameters;
  ExprList defaults;  // of the last parameters
  bool uses_varargs = false, uses_kwargs = false, uses_caller = false;
  Body body;
};
struct CallBlock {
  ExprPtr call;  // its node is a Call
  Macro caller;
};
struct FilterBlock {
  std::vector<FilterCall> filters;
  Body body;
};
struct With {
  std::vector<std::pair<Target, ExprPtr>> variables;
  Body body;
};
struct Block {  // {% block name %}: there is no inheritance, so it renders where it stands
  bool is_scoped;
  Body body;
};
struct Generation {
  Body body;
};
struct Break {};
struct Continue {};

struct Stmt {
  using Node = std::variant<Data, Output, For, If, Set, SetBlock, Macro, CallBlock, FilterBlock, With, Block, Generation, Break, Continue>;
  int line;
  Node node;
};

}  // namespace atelier::tokenize::jinja
