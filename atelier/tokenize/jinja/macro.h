// Macros as values, and the special variable `loop`.
#pragma once

#include <memory>

#include "atelier/tokenize/jinja/interpreter.h"

namespace atelier::tokenize::jinja {

class MacroObject : public Object {
 public:
  // Outlives neither the tree nor the interpreter; the Runtime keeps `scope`.
  MacroObject(Interpreter& interpreter, const Macro& macro, std::weak_ptr<Scope> scope)
      : interpreter_(interpreter), macro_(macro), scope_(std::move(scope)) {}

  std::string type_name() const override { return "Macro"; }
  std::string repr() const override { return "<Macro '" + macro_.name + "'>"; }
  bool get_attribute(Runtime&, std::string_view name, Value& out) const override;
  bool is_callable() const override { return true; }
  Value call(Runtime& runtime, Arguments& arguments) override;

 private:
  Interpreter& interpreter_;
  const Macro& macro_;
  std::weak_ptr<Scope> scope_;
};

// loop: where a for stands. loop(items) runs a recursive loop again, one level deeper.
class LoopObject : public Object {
 public:
  LoopObject(Interpreter& interpreter, const For& node, std::weak_ptr<Scope> scope, Items items, int nesting);

  std::string type_name() const override { return "LoopContext"; }
  std::string repr() const override;
  bool get_attribute(Runtime& runtime, std::string_view name, Value& out) const override;
  bool is_callable() const override { return true; }
  Value call(Runtime& runtime, Arguments& arguments) override;

  const Items& items() const { return items_; }
  void move_to(size_t index) { index_ = index; }
  Value cycle(const Arguments& arguments) const;
  bool has_changed(Runtime& runtime, Arguments& arguments);
  // Ends the loop: what loop.changed() remembers, perhaps the loop itself, is let go.
  void end();

 private:
  Interpreter& interpreter_;
  const For& node_;
  std::weak_ptr<Scope> scope_;
  Items items_;
  size_t index_ = 0;
  int nesting_;
  bool is_over_ = false;
  bool was_asked_ = false;
  Items last_;  // arguments of the last loop.changed()
};

}  // namespace atelier::tokenize::jinja
