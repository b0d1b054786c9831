#include "atelier/tokenize/jinja/macro.h"

#include <algorithm>

#include "atelier/tokenize/jinja/objects.h"

namespace atelier::tokenize::jinja {

namespace {

Value call_cycle(Runtime&, const Value& self, Arguments& arguments) { return self.object_as<LoopObject>()->cycle(arguments); }

Value call_changed(Runtime& runtime, const Value& self, Arguments& arguments) {
  return Value::boolean(self.object_as<LoopObject>()->has_changed(runtime, arguments));
}

int depth_of(const Items& items) {
  int depth = 0;
  for (const Value& item : items) depth = std::max(depth, item.depth());
  if (depth >= kMaxValueDepth) throw TemplateError("a value is nested too deep", StatusCode::kOutOfRange);
  return depth + 1;
}

}  // namespace

bool MacroObject::get_attribute(Runtime&, std::string_view name, Value& out) const {
  if (name == "name") {
    out = Value::constant(macro_.name);
  } else if (name == "arguments") {
    Items names;
    for (const std::string& parameter : macro_.parameters) names.push_back(Value::constant(parameter));
    out = Value::tuple(std::move(names));
  } else if (name == "catch_kwargs" || name == "catch_varargs" || name == "caller") {
    out = Value::boolean(name == "caller" ? macro_.uses_caller : name == "catch_kwargs" ? macro_.uses_kwargs : macro_.uses_varargs);
  } else {
    return false;
  }
  return true;
}

Value MacroObject::call(Runtime& runtime, Arguments& arguments) {
  DepthGuard guard(runtime.recursion, kMaxRecursion, "macros are");
  auto scope = scope_.lock();
  ATELIER_CHECK(scope != nullptr);
  return interpreter_.call_macro(macro_, scope, arguments);
}

LoopObject::LoopObject(Interpreter& interpreter, const For& node, std::weak_ptr<Scope> scope, Items items, int nesting)
    : interpreter_(interpreter), node_(node), scope_(std::move(scope)), items_(std::move(items)), nesting_(nesting) {
  depth = depth_of(items_);
}

std::string LoopObject::repr() const { return "<LoopContext " + std::to_string(index_ + 1) + "/" + std::to_string(items_.size()) + ">"; }

bool LoopObject::get_attribute(Runtime&, std::string_view name, Value& out) const {
  int64_t index = static_cast<int64_t>(index_), size = static_cast<int64_t>(items_.size());
  static constexpr std::pair<std::string_view, int> kNumbers[] = {{"index", 0},  {"index0", 1}, {"revindex", 2}, {"revindex0", 3},
                                                                  {"length", 4}, {"depth", 5},  {"depth0", 6}};
  const int64_t numbers[] = {index + 1, index, size - index, size - index - 1, size, nesting_ + 1, nesting_};
  for (const auto& [number_name, place] : kNumbers) {
    if (name == number_name) return out = Value::integer(numbers[place]), true;
  }
  if (name == "first" || name == "last") {
    out = Value::boolean(name == "first" ? index == 0 : index + 1 == size);
  } else if (name == "previtem") {
    out = index > 0 ? items_[index_ - 1] : Value::undefined("there is no previous item");
  } else if (name == "nextitem") {
    out = index + 1 < size ? items_[index_ + 1] : Value::undefined("there is no next item");
  } else if (name == "cycle" || name == "changed") {
    Value self = Value::object(std::const_pointer_cast<Object>(shared_from_this()));
    out = Value::object(std::make_shared<Function>(name == "cycle" ? call_cycle : call_changed, self));
  } else {
    return false;
  }
  return true;
}

Value LoopObject::cycle(const Arguments& arguments) const {
  if (arguments.positional.empty()) throw TemplateError("no items for cycling given");
  return arguments.positional[index_ % arguments.positional.size()];
}

void LoopObject::end() {
  is_over_ = true;
  last_.clear();
}

bool LoopObject::has_changed(Runtime& runtime, Arguments& arguments) {
  if (is_over_) throw TemplateError("loop.changed() was called after its loop had ended");
  bool is_same = was_asked_ && equals(runtime, Value::list(last_), Value::list(arguments.positional));
  // What is remembered counts for the depth of values, so that loops cannot build an endless chain.
  depth = std::max(depth, depth_of(arguments.positional));
  was_asked_ = true;
  last_ = arguments.positional;
  return !is_same;
}

Value LoopObject::call(Runtime& runtime, Arguments& arguments) {
  if (!node_.is_recursive) throw TemplateError("The loop must have the 'recursive' marker to be called recursively.");
  if (arguments.positional.size() != 1 || !arguments.keyword.empty()) throw TemplateError("loop() takes one iterable");
  DepthGuard guard(runtime.recursion, kMaxRecursion, "recursive loops are");
  auto scope = scope_.lock();
  if (!scope) throw TemplateError("loop() was called after its loop had ended");
  return interpreter_.call_loop(node_, scope, arguments.positional[0], nesting_ + 1);
}

}  // namespace atelier::tokenize::jinja
