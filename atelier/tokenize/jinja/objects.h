// The Objects that built-in functions hand out: namespaces, iterators and views, bound methods, cyclers and joiners.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "atelier/tokenize/jinja/runtime.h"
#include "atelier/tokenize/jinja/value.h"

namespace atelier::tokenize::jinja {

// namespace(): the one value whose members a template may set.
class Namespace : public Object {
 public:
  std::string type_name() const override { return "Namespace"; }
  bool get_attribute(Runtime&, std::string_view name, Value& out) const override;
  void set(const std::string& name, Value value);  // throws for names with a leading underscore, as the sandbox does
  void clear() { members_.clear(); }

 private:
  std::map<std::string, Value, std::less<>> members_;
};

// What can be iterated but is no list: range(), the views of a dict, and the generators that filters such as map return.
class Iterable : public Object {
 public:
  enum class Kind { kRange, kView, kGenerator };
  Iterable(Kind kind, std::string type_name, Items items, std::string repr = {});

  std::string type_name() const override { return type_name_; }
  std::string repr() const override { return repr_; }
  Kind iterable_kind() const { return kind_; }
  const Items& items() const { return items_; }
  // The items not yet read. A generator is empty afterwards.
  Items take();
  bool take_first(Value& out);

 private:
  Kind kind_;
  std::string type_name_;
  std::string repr_;  // of a range; views print their items, generators nothing
  Items items_;
  size_t next_ = 0;  // of a generator
};

Value make_generator(Items items);

// A function of the engine, or a method with its receiver.
class Function : public Object {
 public:
  using Body = Value (*)(Runtime&, const Value& receiver, Arguments&);
  explicit Function(Body body, Value receiver = {});

  std::string type_name() const override { return "builtin_function_or_method"; }
  bool is_callable() const override { return true; }
  Value call(Runtime& runtime, Arguments& arguments) override { return body_(runtime, receiver_, arguments); }

 private:
  Body body_;
  Value receiver_;
};

// cycler('odd', 'even'): .next(), .current, .reset()
class Cycler : public Object {
 public:
  explicit Cycler(Items items);
  std::string type_name() const override { return "Cycler"; }
  bool get_attribute(Runtime&, std::string_view name, Value& out) const override;
  Value next();
  void reset() { position_ = 0; }

 private:
  Items items_;
  size_t position_ = 0;
};

// joiner(', '): empty when called first, the separator afterwards.
class Joiner : public Object {
 public:
  explicit Joiner(Value separator) : separator_(std::move(separator)) { depth = separator_.depth() + 1; }
  std::string type_name() const override { return "Joiner"; }
  bool is_callable() const override { return true; }
  Value call(Runtime& runtime, Arguments& arguments) override;

 private:
  Value separator_;
  bool is_used_ = false;
};

}  // namespace atelier::tokenize::jinja
