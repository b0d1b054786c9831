#include "atelier/tokenize/jinja/objects.h"

#include <algorithm>

namespace atelier::tokenize::jinja {

namespace {

int depth_around(const Items& items) {
  int depth = 0;
  for (const Value& item : items) depth = std::max(depth, item.depth());
  if (depth >= kMaxValueDepth) throw TemplateError("a value is nested too deep", StatusCode::kOutOfRange);
  return depth + 1;
}

Value call_next(Runtime&, const Value& receiver, Arguments&) { return receiver.object_as<Cycler>()->next(); }

Value call_reset(Runtime&, const Value& receiver, Arguments&) {
  receiver.object_as<Cycler>()->reset();
  return {};
}

}  // namespace

Runtime::~Runtime() {
  for (auto& space : namespaces_) space->clear();
  for (auto& scope : scopes_) scope->variables.clear();
}

Value Runtime::text(const std::string& bytes, Origin origin) {
  TextBuilder builder(budget);
  builder.append(bytes, origin);
  return Value::string(builder.finish());
}

bool Namespace::get_attribute(Runtime&, std::string_view name, Value& out) const {
  auto found = members_.find(name);
  if (found == members_.end()) return false;
  out = found->second;
  return true;
}

void Namespace::set(const std::string& name, Value value) {
  if (!name.empty() && name[0] == '_') throw TemplateError("a namespace cannot store the underscore-prefixed attribute '" + name + "'");
  members_[name] = std::move(value);
}

Iterable::Iterable(Kind kind, std::string type_name, Items items, std::string repr)
    : kind_(kind), type_name_(std::move(type_name)), repr_(std::move(repr)), items_(std::move(items)) {
  depth = depth_around(items_);
}

Items Iterable::take() {
  if (kind_ != Kind::kGenerator) return items_;
  Items rest(items_.begin() + next_, items_.end());
  next_ = items_.size();
  return rest;
}

bool Iterable::take_first(Value& out) {
  if (next_ >= items_.size()) return false;
  out = items_[next_];
  if (kind_ == Kind::kGenerator) ++next_;
  return true;
}

Value make_generator(Items items) {
  return Value::object(std::make_shared<Iterable>(Iterable::Kind::kGenerator, "generator", std::move(items)));
}

Function::Function(Body body, Value receiver) : body_(body), receiver_(std::move(receiver)) { depth = depth_around({receiver_}); }

Cycler::Cycler(Items items) : items_(std::move(items)) { depth = depth_around(items_); }

Value Cycler::next() {
  Value value = items_[position_];
  position_ = (position_ + 1) % items_.size();
  return value;
}

bool Cycler::get_attribute(Runtime&, std::string_view name, Value& out) const {
  if (name == "current") {
    out = items_[position_];
    return true;
  }
  if (name != "next" && name != "reset") return false;
  auto self = std::const_pointer_cast<Object>(shared_from_this());
  out = Value::object(std::make_shared<Function>(name == "next" ? call_next : call_reset, Value::object(self)));
  return true;
}

Value Joiner::call(Runtime&, Arguments&) { return std::exchange(is_used_, true) ? separator_ : Value::constant(""); }

}  // namespace atelier::tokenize::jinja
