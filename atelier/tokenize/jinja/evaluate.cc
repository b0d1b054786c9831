// The expression half of the Interpreter.
#include "atelier/tokenize/jinja/filters.h"
#include "atelier/tokenize/jinja/interpreter.h"
#include "atelier/tokenize/jinja/repr.h"
#include "atelier/tokenize/jinja/tests.h"

namespace atelier::tokenize::jinja {

Value Interpreter::evaluate(const Expr& expr) {
  runtime_.budget.step();
  DepthGuard guard(runtime_.evaluation, kMaxEvaluation, "the rendering is");
  try {
    return std::visit([&](const auto& node) { return eval(node); }, expr.node);
  } catch (TemplateError& error) {
    if (error.line == 0) error.line = expr.line;
    throw;
  }
}

Value Interpreter::eval(const Name& node) {
  const Value* found = scope_->find(node.name);
  return found ? *found : Value::undefined("'" + node.name + "' is undefined");
}

Value Interpreter::eval(const ListExpr& node) {
  Items items;
  for (const ExprPtr& item : node.items) items.push_back(evaluate(*item));
  return node.is_tuple ? Value::tuple(std::move(items)) : Value::list(std::move(items));
}

Value Interpreter::eval(const DictExpr& node) {
  Dict dict;
  for (const auto& [key, value] : node.members) {
    Value key_value = evaluate(*key);
    dict.set(std::move(key_value), evaluate(*value));
  }
  return Value::dict(std::move(dict));
}

Value Interpreter::eval(const Unary& node) {
  Value operand = evaluate(*node.operand);
  return node.is_minus ? negate(operand) : positive(operand);
}

Value Interpreter::eval(const NotExpr& node) {
  Value operand = evaluate(*node.operand);
  return Value::boolean(!truthy(operand), operand.origin());
}

Value Interpreter::eval(const Chain& node) {
  Value value = evaluate(*node.first);
  for (const auto& [op, operand] : node.rest) value = arithmetic(runtime_, op, value, evaluate(*operand));
  return value;
}

Value Interpreter::eval(const Concat& node) {
  TextBuilder builder(runtime_.budget);
  for (const ExprPtr& part : node.parts) append_str(runtime_, builder, evaluate(*part));
  return Value::string(builder.finish());
}

bool Interpreter::holds(Comparison comparison, const Value& a, const Value& b) {
  switch (comparison) {
    case Comparison::kEqual:
      return equals(runtime_, a, b);
    case Comparison::kNotEqual:
      return !equals(runtime_, a, b);
    case Comparison::kLess:
      return compare(runtime_, a, b, "<") < 0;
    case Comparison::kLessEqual:
      return compare(runtime_, a, b, "<=") <= 0;
    case Comparison::kGreater:
      return compare(runtime_, a, b, ">") > 0;
    case Comparison::kGreaterEqual:
      return compare(runtime_, a, b, ">=") >= 0;
    case Comparison::kIn:
      return contains(runtime_, b, a);
    case Comparison::kNotIn:
      return !contains(runtime_, b, a);
  }
  return false;
}

Value Interpreter::eval(const Compare& node) {
  Value left = evaluate(*node.first);
  Origin origin = left.origin();
  for (const auto& [comparison, operand] : node.rest) {
    Value right = evaluate(*operand);
    origin = joint_origin(origin, right.origin());
    if (!holds(comparison, left, right)) return Value::boolean(false, origin);
    left = std::move(right);
  }
  return Value::boolean(true, origin);
}

Value Interpreter::eval(const Logic& node) {
  Value value;
  for (const ExprPtr& operand : node.operands) {
    value = evaluate(*operand);
    if (truthy(value) != node.is_and) break;
  }
  return value;
}

Value Interpreter::eval(const Conditional& node) {
  if (truthy(evaluate(*node.test))) return evaluate(*node.value);
  if (node.otherwise) return evaluate(*node.otherwise);
  return Value::undefined("the inline if-expression evaluated to false and no else section was defined");
}

Value Interpreter::eval(const GetAttribute& node) { return get_attribute(runtime_, evaluate(*node.object), node.name); }

Value Interpreter::eval(const GetItem& node) {
  Value object = evaluate(*node.object);
  return get_item(runtime_, object, evaluate(*node.key));
}

Value Interpreter::bound(const ExprPtr& expr) { return expr ? evaluate(*expr) : Value(); }

Value Interpreter::eval(const Slice& node) {
  Value object = evaluate(*node.object);
  Value start = bound(node.start), stop = bound(node.stop);
  return get_slice(runtime_, object, start, stop, bound(node.step));
}

Arguments Interpreter::evaluate(const CallArguments& node) {
  Arguments arguments;
  for (const ExprPtr& expr : node.positional) arguments.positional.push_back(evaluate(*expr));
  for (const auto& [name, expr] : node.keyword) arguments.keyword.emplace_back(name, evaluate(*expr));
  if (node.dynamic_positional) {
    for (Value& item : iterate(runtime_, evaluate(*node.dynamic_positional))) arguments.positional.push_back(std::move(item));
  }
  if (node.dynamic_keyword) {
    Value members = evaluate(*node.dynamic_keyword);
    if (!members.is_dict()) throw TemplateError("argument after ** must be a mapping, not " + members.type_name());
    runtime_.budget.step(members.dict().size());
    for (const auto& [key, value] : members.dict().entries()) {
      if (!key.is_string()) throw TemplateError("keywords must be strings");
      arguments.keyword.emplace_back(key.bytes(), value);
    }
  }
  return arguments;
}

Value Interpreter::eval(const Call& node) {
  Value callee = evaluate(*node.callee);
  Arguments arguments = evaluate(node.arguments);
  return call(runtime_, callee, arguments);
}

Value Interpreter::apply(const FilterCall& filter, const Value& operand) {
  Arguments arguments = evaluate(filter.arguments);
  return apply_filter(runtime_, filter.name, operand, arguments);
}

Value Interpreter::eval(const Filter& node) {
  Value operand = evaluate(*node.operand);
  return apply(node.filter, operand);
}

Value Interpreter::eval(const Test& node) {
  Value operand = evaluate(*node.operand);
  Arguments arguments = evaluate(node.arguments);
  return Value::boolean(apply_test(runtime_, node.name, operand, arguments), operand.origin());
}

}  // namespace atelier::tokenize::jinja
