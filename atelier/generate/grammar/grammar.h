// A context-free grammar as a network of byte-wise automata, one a rule, that call each other.
//
// Rules are compiled from expressions (Thompson's construction, then without empty steps). What could not be followed in bounded work is
// refused: left recursion, and networks above kMaxStates.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "atelier/base/status.h"
#include "atelier/generate/grammar/expression.h"

namespace atelier::generate {

struct GrammarRule {
  std::string name;  // for error messages
  Expression expression;
};

// Takes over rules whose references are to each other; where the first of them is now.
int32_t append_rules(std::vector<GrammarRule> rules, std::vector<GrammarRule>& out);
// What either spells.
std::vector<GrammarRule> alternative_rules(std::vector<GrammarRule> one, std::vector<GrammarRule> other);

class Grammar {
 public:
  static constexpr size_t kMaxStates = 200'000;
  static constexpr int kMaxDepth = 256;  // of nested expressions

  // Rule 0 is the root. Errors: a rule that is not there, left recursion, too large.
  static Result<Grammar> compile(const std::vector<GrammarRule>& rules);

  // Reads a byte in [first, last], or, with rule >= 0, whatever that rule spells; then the rule goes on at `target`.
  struct Edge {
    uint8_t first = 0, last = 0;
    int32_t rule = -1;
    int32_t target = 0;
  };
  std::span<const Edge> edges(int32_t state) const {
    const State& s = states_[static_cast<size_t>(state)];
    return std::span(edges_).subspan(s.first_edge, s.num_edges);
  }
  bool is_final(int32_t state) const { return states_[static_cast<size_t>(state)].is_final; }  // the rule may end here
  int32_t start(int32_t rule) const { return starts_[static_cast<size_t>(rule)]; }

 private:
  friend class GrammarCompiler;
  struct State {
    uint32_t first_edge = 0, num_edges = 0;
    bool is_final = false;
  };
  std::vector<State> states_;
  std::vector<Edge> edges_;
  std::vector<int32_t> starts_;  // by rule
};

}  // namespace atelier::generate
