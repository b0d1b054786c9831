// What a template computes with: Python's values as far as a sandboxed template can see them.
//
// A Value is small and cheap to copy; what it points to is immutable, save for Objects (namespaces, loops, iterators). Strings carry
// an origin per byte (text.h), every other value one origin for the whole: a number read from a message prints as that message's text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "atelier/tokenize/jinja/text.h"

namespace atelier::tokenize::jinja {

class Value;
class Dict;
class Runtime;
struct Arguments;

using Items = std::vector<Value>;

struct Sequence;

// Functions, macros, namespaces, loops, iterators: what has behaviour. Attributes that do not exist are reported by returning false.
class Object : public std::enable_shared_from_this<Object> {
 public:
  virtual ~Object() = default;
  virtual std::string type_name() const = 0;
  virtual std::string repr() const { return {}; }  // "" for what Python would print as a memory address
  virtual bool get_attribute(Runtime&, std::string_view /*name*/, Value& /*out*/) const { return false; }
  virtual bool is_callable() const { return false; }
  virtual Value call(Runtime& runtime, Arguments& arguments);
  int depth = 0;  // values inside each other, as Sequence::depth
};

class Value {
 public:
  enum class Kind { kNone, kUndefined, kBool, kInt, kFloat, kString, kList, kTuple, kDict, kObject };

  Value() : Value(nullptr, kTemplate) {}  // None
  Value(std::nullptr_t, Origin origin) : rep_(std::monostate{}), origin_(origin) {}
  static Value undefined(std::string reason);
  static Value boolean(bool b, Origin origin = kTemplate) { return Value(Rep(b), origin); }
  static Value integer(int64_t i, Origin origin = kTemplate) { return Value(Rep(i), origin); }
  static Value real(double d, Origin origin = kTemplate) { return Value(Rep(d), origin); }
  static Value string(Text text);
  static Value constant(std::string text) { return string(Text(std::move(text), kTemplate)); }
  static Value list(Items items, Origin origin = kTemplate);
  static Value tuple(Items items, Origin origin = kTemplate);
  static Value group(Value key, Value members);  // what groupby yields: a tuple with the attributes grouper and list
  static Value dict(Dict dict, Origin origin = kTemplate);
  static Value object(std::shared_ptr<Object> object) { return Value(Rep(std::move(object)), kTemplate); }

  Kind kind() const { return static_cast<Kind>(rep_.index()); }
  bool is_undefined() const { return kind() == Kind::kUndefined; }
  bool is_none() const { return kind() == Kind::kNone; }
  bool is_bool() const { return kind() == Kind::kBool; }
  bool is_integral() const { return kind() == Kind::kInt || kind() == Kind::kBool; }  // Python's bool is an int
  bool is_float() const { return kind() == Kind::kFloat; }
  bool is_number() const { return is_integral() || is_float(); }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_list() const { return kind() == Kind::kList; }
  bool is_sequence() const { return kind() == Kind::kList || kind() == Kind::kTuple; }
  bool is_dict() const { return kind() == Kind::kDict; }

  // The caller has checked the kind.
  bool as_bool() const { return std::get<bool>(rep_); }
  int64_t as_int() const { return is_bool() ? as_bool() : std::get<int64_t>(rep_); }
  double as_double() const { return is_float() ? std::get<double>(rep_) : static_cast<double>(as_int()); }
  const Text& text() const { return *std::get<std::shared_ptr<const Text>>(rep_); }
  const std::string& bytes() const { return text().bytes(); }
  const Items& items() const;
  bool is_group() const;
  const Dict& dict() const { return *std::get<std::shared_ptr<const Dict>>(rep_); }
  const std::shared_ptr<Object>& object() const { return std::get<std::shared_ptr<Object>>(rep_); }
  template <typename T>
  std::shared_ptr<T> object_as() const {  // null when this is no object of class T
    return kind() == Kind::kObject ? std::dynamic_pointer_cast<T>(object()) : nullptr;
  }
  const std::string& undefined_reason() const { return *std::get<UndefinedReason>(rep_); }

  bool is_markup() const { return is_markup_; }  // a string marked as HTML, see markup.h
  Value as_markup() const {                      // this string, marked
    Value marked = *this;
    marked.is_markup_ = true;
    return marked;
  }

  Value as_plain() const {  // this string, not marked
    Value plain = *this;
    plain.is_markup_ = false;
    return plain;
  }

  Origin origin() const { return is_string() ? text().origin() : origin_; }
  int depth() const;                          // 0 for scalars
  std::string type_name() const;              // as type(x).__name__ in Python
  bool is_same_as(const Value& other) const;  // Python's `is`

 private:
  using UndefinedReason = std::shared_ptr<const std::string>;
  using ListRep = std::shared_ptr<const Sequence>;
  struct TupleRep {
    std::shared_ptr<const Sequence> items;
  };
  // In the order of Kind.
  using Rep = std::variant<std::monostate, UndefinedReason, bool, int64_t, double, std::shared_ptr<const Text>, ListRep, TupleRep,
                           std::shared_ptr<const Dict>, std::shared_ptr<Object>>;
  Value(Rep rep, Origin origin) : rep_(std::move(rep)), origin_(origin) {}

  Rep rep_;
  Origin origin_;
  bool is_markup_ = false;
};

struct Sequence {
  Items items;
  int depth;
  bool is_group;
};

// A dict: insertion order, keys hashed as Python does (1, 1.0 and True are one key).
class Dict {
 public:
  using Entry = std::pair<Value, Value>;

  const Value* find(const Value& key) const;  // throws TemplateError when the key cannot be hashed
  const Value* find(std::string_view key) const;
  void set(Value key, Value value);  // a repeated key keeps its place and its first spelling
  const std::vector<Entry>& entries() const { return entries_; }
  size_t size() const { return entries_.size(); }
  int depth() const { return depth_; }

 private:
  std::vector<Entry> entries_;
  std::unordered_map<std::string, size_t> index_;  // hash_key -> place in entries_
  int depth_ = 1;
};

// Equal for values that Python holds for the same dict key; throws TemplateError "unhashable type: 'list'".
std::string hash_key(const Value& value);

// The arguments of a call.
struct Arguments {
  Items positional;
  std::vector<std::pair<std::string, Value>> keyword;
};

}  // namespace atelier::tokenize::jinja
