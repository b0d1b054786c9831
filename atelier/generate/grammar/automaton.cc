#include "atelier/generate/grammar/automaton.h"

#include <algorithm>
#include <set>

namespace atelier::generate {

GrammarAutomaton::GrammarAutomaton(Grammar grammar) : grammar_(std::move(grammar)) {
  stacks_.push_back({-1, -1, 0});
  enter({{grammar_.start(0), kEmptyStack}});
}

int32_t GrammarAutomaton::push(int32_t state, int32_t rest) {
  if (can_only_end(state)) return rest;  // a call at the end of a rule returns to where that rule returns to: stacks stay short
  const int32_t depth = stacks_[static_cast<size_t>(rest)].depth + 1;
  if (depth > kMaxStackDepth) return -1;
  const auto [found, is_new] = stack_ids_.emplace(std::pair(state, rest), static_cast<int32_t>(stacks_.size()));
  if (is_new) stacks_.push_back({state, rest, depth});
  return found->second;
}

// The state of these places and of all that calls and returns lead to without a byte.
GrammarAutomaton::StateId GrammarAutomaton::enter(std::vector<Configuration> configurations) {
  std::set<Configuration> seen(configurations.begin(), configurations.end());
  std::vector<Configuration> reading;
  bool is_final = false;
  for (size_t i = 0; i < configurations.size(); ++i) {
    if (seen.size() > kMaxConfigurations) return kTooLarge;
    const Configuration at = configurations[i];
    const auto visit = [&](Configuration next) {
      if (seen.insert(next).second) configurations.push_back(next);
    };
    if (grammar_.is_final(at.state)) {
      if (at.stack == kEmptyStack) {
        is_final = true;
      } else {
        const StackNode& top = stacks_[static_cast<size_t>(at.stack)];
        visit({top.state, top.rest});
      }
    }
    bool reads_a_byte = false;
    for (const Grammar::Edge& edge : grammar_.edges(at.state)) {
      if (edge.rule < 0) {
        reads_a_byte = true;
        continue;
      }
      const int32_t stack = push(edge.target, at.stack);
      if (stack < 0) return kTooLarge;
      visit({grammar_.start(edge.rule), stack});
    }
    if (reads_a_byte) reading.push_back(at);
  }
  std::sort(reading.begin(), reading.end());
  const auto found = ids_[is_final].find(reading);
  if (found != ids_[is_final].end()) return found->second;
  if (states_.size() == kMaxStates) return kTooLarge;
  const auto id = static_cast<StateId>(states_.size());
  ids_[is_final].emplace(reading, id);
  states_.push_back(std::make_unique<State>(State{std::move(reading), is_final, {}}));
  states_.back()->next.fill(kUnknown);
  return id;
}

GrammarAutomaton::StateId GrammarAutomaton::work_out(StateId state, uint8_t byte) {
  std::vector<Configuration> next;
  for (const Configuration& at : states_[static_cast<size_t>(state)]->configurations) {
    for (const Grammar::Edge& edge : grammar_.edges(at.state)) {
      if (edge.rule < 0 && edge.first <= byte && byte <= edge.last) next.push_back({edge.target, at.stack});
    }
  }
  if (next.empty()) return kDead;
  std::sort(next.begin(), next.end());
  next.erase(std::unique(next.begin(), next.end()), next.end());
  return enter(std::move(next));
}

GrammarAutomaton::StateId GrammarAutomaton::step(StateId state, uint8_t byte) {
  StateId next = states_[static_cast<size_t>(state)]->next[byte];
  if (next == kUnknown) {
    next = work_out(state, byte);
    states_[static_cast<size_t>(state)]->next[byte] = next;
  }
  return next;
}

GrammarAutomaton::StateId GrammarAutomaton::step(StateId state, std::string_view bytes) {
  for (const char c : bytes) {
    if (state < 0) break;
    state = step(state, static_cast<uint8_t>(c));
  }
  return state;
}

}  // namespace atelier::generate
