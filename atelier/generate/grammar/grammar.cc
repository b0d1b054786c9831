#include "atelier/generate/grammar/grammar.h"

#include <algorithm>

#include "atelier/base/error.h"
#include "atelier/generate/grammar/utf8_ranges.h"

namespace atelier::generate {

// Builds the automaton of each rule with empty steps, then copies what can be reached without them.
class GrammarCompiler {
 public:
  explicit GrammarCompiler(const std::vector<GrammarRule>& rules) : rules_(rules) {}

  Result<Grammar> run() {
    for (const GrammarRule& rule : rules_) {
      states_.clear();
      const int32_t start = add_state(), end = add_state();
      ATELIER_RETURN_IF_ERROR(connect(rule.expression, start, end, 0).with_context("rule " + rule.name));
      ATELIER_RETURN_IF_ERROR(copy_without_empty_steps(start, end).with_context("rule " + rule.name));
    }
    ATELIER_RETURN_IF_ERROR(refuse_left_recursion());
    return std::move(grammar_);
  }

 private:
  struct BuildState {
    std::vector<Grammar::Edge> edges;
    std::vector<int32_t> empty_steps;
  };

  int32_t add_state() {
    states_.emplace_back();
    return static_cast<int32_t>(states_.size()) - 1;
  }
  BuildState& at(int32_t state) { return states_[static_cast<size_t>(state)]; }

  Status check_size() const {
    const size_t size = states_.size() + grammar_.states_.size();
    if (size <= Grammar::kMaxStates) return {};
    return Status::invalid("the grammar: more than " + std::to_string(Grammar::kMaxStates) + " states; use smaller repetitions");
  }

  // Adds ways from `from` to `to` that read what the expression spells.
  Status connect(const Expression& expression, int32_t from, int32_t to, int depth) {
    if (depth > Grammar::kMaxDepth) return Status::invalid("nested more than " + std::to_string(Grammar::kMaxDepth) + " deep");
    ATELIER_RETURN_IF_ERROR(check_size());
    switch (expression.kind) {
      case ExpressionKind::kLiteral:
        connect_literal(expression.text, from, to);
        return {};
      case ExpressionKind::kSet:
        connect_set(expression.ranges, from, to);
        return {};
      case ExpressionKind::kRule:
        if (expression.rule < 0 || static_cast<size_t>(expression.rule) >= rules_.size()) return Status::invalid("names an unknown rule");
        at(from).edges.push_back({0, 0, expression.rule, to});
        return {};
      case ExpressionKind::kChoice:
        for (const Expression& child : expression.children) ATELIER_RETURN_IF_ERROR(connect(child, from, to, depth + 1));
        return {};
      case ExpressionKind::kSequence: {
        for (const Expression& child : expression.children) {
          const int32_t next = add_state();
          ATELIER_RETURN_IF_ERROR(connect(child, from, next, depth + 1));
          from = next;
        }
        at(from).empty_steps.push_back(to);
        return {};
      }
      case ExpressionKind::kRepeat:
        return connect_repeat(expression, from, to, depth);
    }
    throw InternalError("unknown kind of expression");
  }

  void connect_literal(const std::string& text, int32_t from, int32_t to) {
    for (const char c : text) {
      const int32_t next = add_state();
      at(from).edges.push_back({static_cast<uint8_t>(c), static_cast<uint8_t>(c), -1, next});
      from = next;
    }
    at(from).empty_steps.push_back(to);
  }

  void connect_set(const std::vector<CodePointRange>& ranges, int32_t from, int32_t to) {
    std::vector<ByteSequence> sequences;
    for (const CodePointRange& range : ranges) append_utf8_ranges(range, sequences);
    for (const ByteSequence& sequence : sequences) {
      int32_t state = from;
      for (int i = 0; i < sequence.size; ++i) {
        const int32_t next = i + 1 == sequence.size ? to : add_state();
        const auto byte = static_cast<size_t>(i);
        at(state).edges.push_back({sequence.first[byte], sequence.last[byte], -1, next});
        state = next;
      }
    }
  }

  Status connect_repeat(const Expression& expression, int32_t from, int32_t to, int depth) {
    const Expression& child = expression.children[0];
    for (uint32_t i = 0; i < expression.min; ++i) {
      const int32_t next = add_state();
      ATELIER_RETURN_IF_ERROR(connect(child, from, next, depth + 1));
      from = next;
    }
    if (expression.max == kUnbounded) {
      const int32_t loop = add_state();
      at(from).empty_steps.push_back(loop);
      const int32_t back = add_state();
      ATELIER_RETURN_IF_ERROR(connect(child, loop, back, depth + 1));
      at(back).empty_steps.push_back(loop);
      at(loop).empty_steps.push_back(to);
      return {};
    }
    for (uint32_t i = expression.min; i < expression.max; ++i) {
      at(from).empty_steps.push_back(to);
      const int32_t next = add_state();
      ATELIER_RETURN_IF_ERROR(connect(child, from, next, depth + 1));
      from = next;
    }
    at(from).empty_steps.push_back(to);
    return {};
  }

  // States of the result are those that a byte or a rule leads to, and the start; each has the edges of all that empty steps reach.
  Status copy_without_empty_steps(int32_t start, int32_t end) {
    std::vector<int32_t> copy_of(states_.size(), -1), order;
    const auto copied = [&](int32_t state) {
      int32_t& copy = copy_of[static_cast<size_t>(state)];
      if (copy < 0) {
        copy = static_cast<int32_t>(grammar_.states_.size());
        grammar_.states_.emplace_back();
        order.push_back(state);
      }
      return copy;
    };
    grammar_.starts_.push_back(copied(start));
    for (size_t i = 0; i < order.size(); ++i) {
      ATELIER_RETURN_IF_ERROR(check_size());
      const auto copy = static_cast<size_t>(copied(order[i]));
      const size_t first_edge = grammar_.edges_.size();
      bool is_final = false;
      for (const int32_t state : reached_by_empty_steps(order[i])) {
        is_final |= state == end;
        for (const Grammar::Edge& edge : at(state).edges) {
          grammar_.edges_.push_back({edge.first, edge.last, edge.rule, copied(edge.target)});
        }
      }
      grammar_.states_[copy] = {static_cast<uint32_t>(first_edge), static_cast<uint32_t>(grammar_.edges_.size() - first_edge), is_final};
    }
    return {};
  }

  std::vector<int32_t> reached_by_empty_steps(int32_t from) {
    return reach(from, states_.size(), [this](int32_t state, const auto& go) {
      for (const int32_t next : at(state).empty_steps) go(next);
    });
  }

  // `from` and all that step(state, go) leads to.
  template <typename Step>
  std::vector<int32_t> reach(int32_t from, size_t num_states, const Step& step) {
    if (mark_.size() < num_states) mark_.resize(num_states, 0);
    ++round_;
    std::vector<int32_t> reached;
    const auto go = [&](int32_t state) {
      if (mark_[static_cast<size_t>(state)] == round_) return;
      mark_[static_cast<size_t>(state)] = round_;
      reached.push_back(state);
    };
    go(from);
    for (size_t i = 0; i < reached.size(); ++i) step(reached[i], go);
    return reached;
  }

  // A rule that may call itself before it has read a byte would be entered without end.
  Status refuse_left_recursion() {
    const std::vector<bool> is_nullable = nullable_rules();
    enum class Visit : uint8_t { kNew, kOpen, kDone };
    std::vector<Visit> visits(rules_.size(), Visit::kNew);
    struct Frame {
      size_t rule;
      std::vector<int32_t> calls;
      size_t next = 0;
    };
    for (size_t root = 0; root < rules_.size(); ++root) {
      if (visits[root] != Visit::kNew) continue;
      std::vector<Frame> stack;
      stack.push_back({root, first_calls(root, is_nullable)});
      visits[root] = Visit::kOpen;
      while (!stack.empty()) {
        Frame& frame = stack.back();
        if (frame.next == frame.calls.size()) {
          visits[frame.rule] = Visit::kDone;
          stack.pop_back();
          continue;
        }
        const auto called = static_cast<size_t>(frame.calls[frame.next++]);
        if (visits[called] == Visit::kOpen) {
          return Status::invalid("rule " + rules_[called].name + ": is left-recursive; write the repetition as (...)* instead");
        }
        if (visits[called] == Visit::kDone) continue;
        visits[called] = Visit::kOpen;
        stack.push_back({called, first_calls(called, is_nullable)});
      }
    }
    return {};
  }

  // Rules that may spell nothing.
  std::vector<bool> nullable_rules() {
    std::vector<bool> is_nullable(rules_.size(), false);
    for (bool has_changed = true; has_changed;) {
      has_changed = false;
      for (size_t rule = 0; rule < rules_.size(); ++rule) {
        if (is_nullable[rule]) continue;
        const std::vector<int32_t> reached = reached_without_bytes(rule, is_nullable);
        is_nullable[rule] = std::any_of(reached.begin(), reached.end(), [&](int32_t state) { return grammar_.is_final(state); });
        has_changed |= is_nullable[rule];
      }
    }
    return is_nullable;
  }

  std::vector<int32_t> reached_without_bytes(size_t rule, const std::vector<bool>& is_nullable) {
    return reach(grammar_.starts_[rule], grammar_.states_.size(), [&](int32_t state, const auto& go) {
      for (const Grammar::Edge& edge : grammar_.edges(state)) {
        if (edge.rule >= 0 && is_nullable[static_cast<size_t>(edge.rule)]) go(edge.target);
      }
    });
  }

  std::vector<int32_t> first_calls(size_t rule, const std::vector<bool>& is_nullable) {
    std::vector<int32_t> calls;
    for (const int32_t state : reached_without_bytes(rule, is_nullable)) {
      for (const Grammar::Edge& edge : grammar_.edges(state)) {
        if (edge.rule >= 0) calls.push_back(edge.rule);
      }
    }
    std::sort(calls.begin(), calls.end());
    calls.erase(std::unique(calls.begin(), calls.end()), calls.end());
    return calls;
  }

  const std::vector<GrammarRule>& rules_;
  Grammar grammar_;
  std::vector<BuildState> states_;  // of the rule that is built
  std::vector<uint32_t> mark_;      // by state: the round of reach() that met it last
  uint32_t round_ = 0;
};

Result<Grammar> Grammar::compile(const std::vector<GrammarRule>& rules) {
  if (rules.empty()) return Status::invalid("the grammar: has no rule");
  return GrammarCompiler(rules).run();
}

namespace {

void shift_references(Expression& expression, int32_t by) {
  if (expression.kind == ExpressionKind::kRule) expression.rule += by;
  for (Expression& child : expression.children) shift_references(child, by);
}

}  // namespace

int32_t append_rules(std::vector<GrammarRule> rules, std::vector<GrammarRule>& out) {
  const auto first = static_cast<int32_t>(out.size());
  for (GrammarRule& rule : rules) {
    shift_references(rule.expression, first);
    out.push_back(std::move(rule));
  }
  return first;
}

std::vector<GrammarRule> alternative_rules(std::vector<GrammarRule> one, std::vector<GrammarRule> other) {
  std::vector<GrammarRule> rules = {{"root", {}}};
  const int32_t first = append_rules(std::move(one), rules), second = append_rules(std::move(other), rules);
  rules[0].expression = Expression::choice({Expression::reference(first), Expression::reference(second)});
  return rules;
}

}  // namespace atelier::generate
