// The state of one rendering that every part of the engine sees.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/tokenize/jinja/budget.h"
#include "atelier/tokenize/jinja/origins.h"
#include "atelier/tokenize/jinja/value.h"

namespace atelier::tokenize::jinja {

// The variables of a block of the template, and where to look further.
struct Scope {
  std::map<std::string, Value, std::less<>> variables;
  std::shared_ptr<Scope> parent;

  const Value* find(std::string_view name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->parent.get()) {
      if (auto found = scope->variables.find(name); found != scope->variables.end()) return &found->second;
    }
    return nullptr;
  }
};

class Namespace;

class Runtime {
 public:
  explicit Runtime(int64_t unix_time_s) : now_s(unix_time_s) {}
  ~Runtime();  // cuts the cycles that namespaces and macros can form
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  Budget budget;
  OriginTable origins;
  const int64_t now_s;           // what strftime_now() formats, UTC
  int recursion = 0;             // macros and recursive loops being called
  int evaluation = 0;            // nodes being evaluated inside each other
  uint32_t num_generations = 0;  // {% generation %} blocks met so far

  Value text(const std::string& bytes, Origin origin = kTemplate);  // a new string, charged to the budget
  void keep(std::shared_ptr<Namespace> space) { namespaces_.push_back(std::move(space)); }
  void keep(std::shared_ptr<Scope> scope) { scopes_.push_back(std::move(scope)); }  // a macro points into it

 private:
  std::vector<std::shared_ptr<Namespace>> namespaces_;
  std::vector<std::shared_ptr<Scope>> scopes_;
};

}  // namespace atelier::tokenize::jinja
