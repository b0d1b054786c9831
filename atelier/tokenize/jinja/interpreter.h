// Walks the tree of a template and writes its output.
//
// Scopes follow Jinja: for, macro, call, with, filter, set and generation blocks have their own, if has none; a macro sees the
// variables of the place where it was defined. Depth is bounded twice: kMaxRecursion for calls, kMaxEvaluation for nodes.
#pragma once

#include <memory>
#include <string>

#include "atelier/base/function_ref.h"
#include "atelier/tokenize/jinja/ast.h"
#include "atelier/tokenize/jinja/runtime.h"

namespace atelier::tokenize::jinja {

class Interpreter {
 public:
  // `variables` are those that the template is given; the built-in functions lie below them.
  Interpreter(Runtime& runtime, std::map<std::string, Value, std::less<>> variables);

  Text render(const Body& body);

  // For macros and recursive loops, which call back: the text that they write.
  Value call_macro(const Macro& macro, const std::shared_ptr<Scope>& defined_in, Arguments& arguments);
  Value call_loop(const For& loop, const std::shared_ptr<Scope>& around, const Value& iterable, int nesting);

 private:
  enum class Flow { kNext, kBreak, kContinue };

  Value evaluate(const Expr& expr);
  Value eval(const Constant& node) { return node.value; }
  Value eval(const Name& node);
  Value eval(const ListExpr& node);
  Value eval(const DictExpr& node);
  Value eval(const Unary& node);
  Value eval(const NotExpr& node);
  Value eval(const Chain& node);
  Value eval(const Concat& node);
  Value eval(const Compare& node);
  Value eval(const Logic& node);
  Value eval(const Conditional& node);
  Value eval(const GetAttribute& node);
  Value eval(const GetItem& node);
  Value eval(const Slice& node);
  Value eval(const Call& node);
  Value eval(const Filter& node);
  Value eval(const Test& node);
  Value apply(const FilterCall& filter, const Value& operand);
  bool holds(Comparison comparison, const Value& a, const Value& b);
  Value bound(const ExprPtr& expr);  // None for an absent slice bound
  Arguments evaluate(const CallArguments& arguments);

  Flow execute(const Body& body);
  Flow execute(const Stmt& stmt);
  Flow exec(const Data& node);
  Flow exec(const Output& node);
  Flow exec(const For& node);
  Flow exec(const If& node);
  Flow exec(const Set& node);
  Flow exec(const SetBlock& node);
  Flow exec(const Macro& node);
  Flow exec(const CallBlock& node);
  Flow exec(const FilterBlock& node);
  Flow exec(const With& node);
  Flow exec(const Block& node);
  Flow exec(const Generation& node);
  Flow exec(const Break&) { return Flow::kBreak; }
  Flow exec(const Continue&) { return Flow::kContinue; }

  void run_loop(const For& node, Items items, int nesting);
  Items selected(const For& node, Items items);
  void assign(const Target& target, const Value& value);
  Value define(const Macro& macro);
  void bind(const Macro& macro, Arguments& arguments);

  // Runs `write` in a scope below `parent`, and returns to the present one.
  template <typename Write>
  Flow in_scope(std::shared_ptr<Scope> parent, Write write);
  // What `write` sends to the output, as a string.
  template <typename Write>
  Value captured(Write write);

  Runtime& runtime_;
  std::shared_ptr<Scope> root_, scope_;
  TextBuilder* out_ = nullptr;
};

}  // namespace atelier::tokenize::jinja
