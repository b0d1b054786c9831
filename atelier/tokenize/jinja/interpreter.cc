// Statements. Expressions are in evaluate.cc.
#include "atelier/tokenize/jinja/interpreter.h"

#include <algorithm>

#include "atelier/tokenize/jinja/functions.h"
#include "atelier/tokenize/jinja/macro.h"
#include "atelier/tokenize/jinja/objects.h"
#include "atelier/tokenize/jinja/repr.h"

namespace atelier::tokenize::jinja {

Interpreter::Interpreter(Runtime& runtime, std::map<std::string, Value, std::less<>> variables) : runtime_(runtime) {
  auto builtins = std::make_shared<Scope>();
  builtins->variables = builtin_functions();
  root_ = std::make_shared<Scope>();
  root_->variables = std::move(variables);
  root_->parent = std::move(builtins);
  scope_ = root_;
}

template <typename Write>
Interpreter::Flow Interpreter::in_scope(std::shared_ptr<Scope> parent, Write write) {
  auto present = std::exchange(scope_, std::make_shared<Scope>());
  scope_->parent = std::move(parent);
  Flow flow = write();
  scope_ = std::move(present);
  return flow;
}

// Nothing is restored when `write` throws: the whole rendering ends then.
template <typename Write>
Value Interpreter::captured(Write write) {
  TextBuilder builder(runtime_.budget);
  TextBuilder* present = std::exchange(out_, &builder);
  write();
  out_ = present;
  return Value::string(builder.finish());
}

Text Interpreter::render(const Body& body) {
  TextBuilder builder(runtime_.budget);
  out_ = &builder;
  execute(body);
  return builder.finish();
}

Interpreter::Flow Interpreter::execute(const Body& body) {
  for (const auto& stmt : body) {
    if (Flow flow = execute(*stmt); flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

Interpreter::Flow Interpreter::execute(const Stmt& stmt) {
  runtime_.budget.step();
  DepthGuard guard(runtime_.evaluation, kMaxEvaluation, "the rendering is");
  try {
    return std::visit([&](const auto& node) { return exec(node); }, stmt.node);
  } catch (TemplateError& error) {
    if (error.line == 0) error.line = stmt.line;
    throw;
  }
}

Interpreter::Flow Interpreter::exec(const Data& node) {
  out_->append(node.text.text());
  return Flow::kNext;
}

Interpreter::Flow Interpreter::exec(const Output& node) {
  append_str(runtime_, *out_, evaluate(*node.value));
  return Flow::kNext;
}

Interpreter::Flow Interpreter::exec(const If& node) {
  for (const auto& [test, body] : node.branches) {
    if (truthy(evaluate(*test))) return execute(body);
  }
  return execute(node.otherwise);
}

Items Interpreter::selected(const For& node, Items items) {
  if (!node.test) return items;
  Items chosen;
  for (Value& item : items) {
    in_scope(scope_, [&] {
      assign(node.target, item);
      if (truthy(evaluate(*node.test))) chosen.push_back(std::move(item));
      return Flow::kNext;
    });
  }
  return chosen;
}

Interpreter::Flow Interpreter::exec(const For& node) {
  run_loop(node, iterate(runtime_, evaluate(*node.iterable)), 0);
  return Flow::kNext;
}

void Interpreter::run_loop(const For& node, Items items, int nesting) {
  auto loop = std::make_shared<LoopObject>(*this, node, scope_, selected(node, std::move(items)), nesting);
  struct Ending {
    LoopObject& loop;
    ~Ending() { loop.end(); }
  } ending{*loop};
  bool any_completed = false;  // Jinja's "else" runs unless some pass reached the end of the body
  for (size_t i = 0; i < loop->items().size(); ++i) {
    loop->move_to(i);
    Flow flow = in_scope(scope_, [&] {
      assign(node.target, loop->items()[i]);
      scope_->variables["loop"] = Value::object(loop);
      return execute(node.body);
    });
    if (flow == Flow::kBreak) break;
    any_completed = any_completed || flow == Flow::kNext;
  }
  if (!any_completed) in_scope(scope_, [&] { return execute(node.otherwise); });
}

Value Interpreter::call_loop(const For& loop, const std::shared_ptr<Scope>& around, const Value& iterable, int nesting) {
  return captured([&] {
    auto present = std::exchange(scope_, around);
    run_loop(loop, iterate(runtime_, iterable), nesting);
    scope_ = std::move(present);
  });
}

void Interpreter::assign(const Target& target, const Value& value) {
  if (!target.attribute.empty()) {
    const Value* owner = scope_->find(target.name);
    if (owner == nullptr) throw TemplateError("'" + target.name + "' is undefined");
    auto space = owner->object_as<Namespace>();
    if (!space) throw TemplateError("cannot assign attribute on non-namespace object");
    space->set(target.attribute, value);
  } else if (!target.is_tuple) {
    scope_->variables[target.name] = value;
  } else {
    if (!is_iterable(value)) throw TemplateError("cannot unpack non-iterable " + value.type_name() + " object");
    Items items = iterate(runtime_, value);
    size_t want = target.items.size();
    if (items.size() > want) throw TemplateError("too many values to unpack (expected " + std::to_string(want) + ")");
    if (items.size() < want) {
      throw TemplateError("not enough values to unpack (expected " + std::to_string(want) + ", got " + std::to_string(items.size()) + ")");
    }
    for (size_t i = 0; i < want; ++i) assign(target.items[i], items[i]);
  }
}

Interpreter::Flow Interpreter::exec(const Set& node) {
  assign(node.target, evaluate(*node.value));
  return Flow::kNext;
}

Interpreter::Flow Interpreter::exec(const SetBlock& node) {
  Flow flow = Flow::kNext;
  Value value = captured([&] { flow = in_scope(scope_, [&] { return execute(node.body); }); });
  if (flow != Flow::kNext) return flow;
  for (const FilterCall& filter : node.filters) value = apply(filter, value);
  assign(node.target, value);
  return Flow::kNext;
}

Interpreter::Flow Interpreter::exec(const FilterBlock& node) {
  Flow flow = Flow::kNext;
  Value value = captured([&] { flow = in_scope(scope_, [&] { return execute(node.body); }); });
  if (flow != Flow::kNext) return flow;
  for (const FilterCall& filter : node.filters) value = apply(filter, value);
  append_str(runtime_, *out_, value);
  return Flow::kNext;
}

Interpreter::Flow Interpreter::exec(const With& node) {
  Items values;
  for (const auto& [target, expr] : node.variables) values.push_back(evaluate(*expr));
  return in_scope(scope_, [&] {
    for (size_t i = 0; i < values.size(); ++i) assign(node.variables[i].first, values[i]);
    return execute(node.body);
  });
}

Interpreter::Flow Interpreter::exec(const Block& node) {
  return in_scope(node.is_scoped ? scope_ : root_, [&] { return execute(node.body); });
}

Interpreter::Flow Interpreter::exec(const Generation& node) {
  Value written = captured([&] { in_scope(scope_, [&] { return execute(node.body); }); });
  out_->append_generated(written.text(), ++runtime_.num_generations);
  return Flow::kNext;
}

Value Interpreter::define(const Macro& macro) {
  runtime_.keep(scope_);
  return Value::object(std::make_shared<MacroObject>(*this, macro, scope_));
}

Interpreter::Flow Interpreter::exec(const Macro& node) {
  scope_->variables[node.name] = define(node);
  return Flow::kNext;
}

Interpreter::Flow Interpreter::exec(const CallBlock& node) {
  const Call& call_node = std::get<Call>(node.call->node);
  Value callee = evaluate(*call_node.callee);
  Arguments arguments = evaluate(call_node.arguments);
  arguments.keyword.emplace_back("caller", define(node.caller));
  append_str(runtime_, *out_, call(runtime_, callee, arguments));
  return Flow::kNext;
}

Value Interpreter::call_macro(const Macro& macro, const std::shared_ptr<Scope>& defined_in, Arguments& arguments) {
  return captured([&] {
    in_scope(defined_in, [&] {
      bind(macro, arguments);
      return execute(macro.body);
    });
  });
}

// Puts the parameters of `macro` into the present scope. A default is evaluated there, so that it may name earlier parameters.
void Interpreter::bind(const Macro& macro, Arguments& arguments) {
  auto& variables = scope_->variables;
  auto take_keyword = [&](const std::string& name, Value& out) {
    auto found = std::find_if(arguments.keyword.begin(), arguments.keyword.end(), [&](const auto& pair) { return pair.first == name; });
    if (found == arguments.keyword.end()) return false;
    out = std::move(found->second);
    arguments.keyword.erase(found);
    return true;
  };
  size_t num_parameters = macro.parameters.size(), num_given = std::min(arguments.positional.size(), num_parameters);
  for (size_t i = 0; i < num_parameters; ++i) {
    const std::string& name = macro.parameters[i];
    Value value;
    size_t first_default = num_parameters - macro.defaults.size();
    if (i < num_given) {
      value = arguments.positional[i];
    } else if (!take_keyword(name, value)) {
      value =
          i >= first_default ? evaluate(*macro.defaults[i - first_default]) : Value::undefined("parameter '" + name + "' was not provided");
    }
    variables[name] = std::move(value);
  }
  bool names_caller = std::find(macro.parameters.begin(), macro.parameters.end(), "caller") != macro.parameters.end();
  if (Value caller; macro.uses_caller && !names_caller) {
    variables["caller"] = take_keyword("caller", caller) && !caller.is_none() ? caller : Value::undefined("No caller defined");
  }
  if (macro.uses_kwargs) {
    Dict rest;
    for (auto& [name, value] : arguments.keyword) rest.set(Value::constant(name), std::move(value));
    variables["kwargs"] = Value::dict(std::move(rest));
  } else if (!arguments.keyword.empty()) {
    throw TemplateError("macro '" + macro.name + "' takes no keyword argument '" + arguments.keyword[0].first + "'");
  }
  if (macro.uses_varargs) {
    variables["varargs"] = Value::tuple(Items(arguments.positional.begin() + num_given, arguments.positional.end()));
  } else if (arguments.positional.size() > num_parameters) {
    throw TemplateError("macro '" + macro.name + "' takes not more than " + std::to_string(num_parameters) + " argument(s)");
  }
}

}  // namespace atelier::tokenize::jinja
