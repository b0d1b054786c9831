#include "atelier/tokenize/jinja/value.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace atelier::tokenize::jinja {

namespace {

constexpr size_t kMaxTupleKey = size_t{1} << 20;

int checked_depth(int depth_of_members) {
  if (depth_of_members >= kMaxValueDepth) {
    throw TemplateError("a value is nested deeper than " + std::to_string(kMaxValueDepth), StatusCode::kOutOfRange);
  }
  return depth_of_members + 1;
}

std::shared_ptr<const Sequence> make_sequence(Items items, bool is_group = false) {
  int depth = 0;
  for (const Value& item : items) depth = std::max(depth, item.depth());
  return std::make_shared<const Sequence>(Sequence{std::move(items), checked_depth(depth), is_group});
}

}  // namespace

Value Object::call(Runtime&, Arguments&) { throw TemplateError("'" + type_name() + "' object is not callable"); }

Value Value::undefined(std::string reason) { return Value(Rep(std::make_shared<const std::string>(std::move(reason))), kTemplate); }
Value Value::string(Text text) { return Value(Rep(std::make_shared<const Text>(std::move(text))), kTemplate); }
Value Value::list(Items items, Origin origin) { return Value(Rep(make_sequence(std::move(items))), origin); }
Value Value::tuple(Items items, Origin origin) { return Value(Rep(TupleRep{make_sequence(std::move(items))}), origin); }
Value Value::group(Value key, Value members) {
  return Value(Rep(TupleRep{make_sequence({std::move(key), std::move(members)}, true)}), kTemplate);
}
Value Value::dict(Dict dict, Origin origin) { return Value(Rep(std::make_shared<const Dict>(std::move(dict))), origin); }

const Items& Value::items() const {
  auto* tuple = std::get_if<TupleRep>(&rep_);
  return tuple ? tuple->items->items : std::get<ListRep>(rep_)->items;
}

bool Value::is_group() const {
  auto* tuple = std::get_if<TupleRep>(&rep_);
  return tuple && tuple->items->is_group;
}

int Value::depth() const {
  if (auto* list = std::get_if<ListRep>(&rep_)) return (*list)->depth;
  if (auto* tuple = std::get_if<TupleRep>(&rep_)) return tuple->items->depth;
  if (is_dict()) return dict().depth();
  return kind() == Kind::kObject ? object()->depth : 0;
}

std::string Value::type_name() const {
  switch (kind()) {
    case Kind::kUndefined:
      return "Undefined";
    case Kind::kNone:
      return "NoneType";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kFloat:
      return "float";
    case Kind::kString:
      return "str";
    case Kind::kList:
      return "list";
    case Kind::kTuple:
      return "tuple";
    case Kind::kDict:
      return "dict";
    case Kind::kObject:
      return object()->type_name();
  }
  return "object";
}

bool Value::is_same_as(const Value& other) const {
  if (kind() != other.kind()) return false;
  switch (kind()) {
    case Kind::kUndefined:
      return undefined_reason() == other.undefined_reason();
    case Kind::kNone:
      return true;
    case Kind::kBool:
      return as_bool() == other.as_bool();
    case Kind::kInt:
      return as_int() == other.as_int();
    case Kind::kFloat:
      return as_double() == other.as_double();
    case Kind::kString:
      return &text() == &other.text() || bytes() == other.bytes();
    case Kind::kList:
    case Kind::kTuple:
      return &items() == &other.items();
    case Kind::kDict:
      return &dict() == &other.dict();
    case Kind::kObject:
      return object() == other.object();
  }
  return false;
}

std::string hash_key(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kString:
      return "s" + value.bytes();
    case Value::Kind::kNone:
      return "n";
    case Value::Kind::kUndefined:
      return "u";
    case Value::Kind::kBool:
    case Value::Kind::kInt:
      return "i" + std::to_string(value.as_int());
    case Value::Kind::kFloat: {
      double d = value.as_double();
      constexpr double kExact = 9007199254740992.0;  // 2^53: below it an integral double is that integer
      if (d == std::floor(d) && std::abs(d) <= kExact) return "i" + std::to_string(static_cast<int64_t>(d));
      return "f" + std::to_string(std::bit_cast<uint64_t>(d));
    }
    case Value::Kind::kTuple: {
      std::string key = "t";
      for (const Value& item : value.items()) {
        std::string part = hash_key(item);
        key += std::to_string(part.size()) + ":" + part;
        if (key.size() > kMaxTupleKey) throw TemplateError("a tuple is too large to be a key", StatusCode::kOutOfRange);
      }
      return key;
    }
    case Value::Kind::kObject:
      return "o" + std::to_string(reinterpret_cast<uintptr_t>(value.object().get()));
    case Value::Kind::kList:
    case Value::Kind::kDict:
      break;
  }
  throw TemplateError("unhashable type: '" + value.type_name() + "'");
}

const Value* Dict::find(const Value& key) const {
  auto found = index_.find(hash_key(key));
  return found == index_.end() ? nullptr : &entries_[found->second].second;
}

const Value* Dict::find(std::string_view key) const {
  auto found = index_.find("s" + std::string(key));
  return found == index_.end() ? nullptr : &entries_[found->second].second;
}

void Dict::set(Value key, Value value) {
  depth_ = std::max(depth_, checked_depth(std::max(key.depth(), value.depth())));
  auto [place, is_new] = index_.try_emplace(hash_key(key), entries_.size());
  if (is_new) {
    entries_.emplace_back(std::move(key), std::move(value));
  } else {
    entries_[place->second].second = std::move(value);
  }
}

}  // namespace atelier::tokenize::jinja
