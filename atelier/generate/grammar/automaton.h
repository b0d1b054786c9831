// Reading bytes with a grammar: a deterministic automaton that is made while it is used.
//
// A grammar is in several places at once (configurations: a state and the states to return to). All of them together are one state of this
// automaton, numbered in the order of discovery; what a byte does to it is worked out once and then a look-up, for every answer that
// uses the grammar. Stacks share their beginnings.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "atelier/generate/grammar/grammar.h"

namespace atelier::generate {

class GrammarAutomaton {
 public:
  using StateId = int32_t;
  static constexpr StateId kDead = -1;      // no text of the grammar goes on like this
  static constexpr StateId kTooLarge = -2;  // more than the limits below allow
  static constexpr size_t kMaxStates = 50'000;
  static constexpr size_t kMaxConfigurations = 2'000;  // of one state
  static constexpr int32_t kMaxStackDepth = 1'000;

  explicit GrammarAutomaton(Grammar grammar);

  StateId start() const { return 0; }
  bool is_final(StateId state) const { return states_[static_cast<size_t>(state)]->is_final; }              // a text may end here
  bool is_end(StateId state) const { return states_[static_cast<size_t>(state)]->configurations.empty(); }  // no byte may follow
  StateId step(StateId state, uint8_t byte);
  StateId step(StateId state, std::string_view bytes);

 private:
  static constexpr StateId kUnknown = -3;
  static constexpr int32_t kEmptyStack = 0;
  // A place in the grammar. Two places are the same place with the same stack.
  struct Configuration {
    int32_t state;
    int32_t stack;  // where the rule that was entered last returns to
    auto operator<=>(const Configuration&) const = default;
  };
  struct State {
    std::vector<Configuration> configurations;  // sorted; those with an edge that reads a byte
    bool is_final = false;
    std::array<StateId, 256> next;
  };
  struct StackNode {
    int32_t state;  // to return to
    int32_t rest;   // the stack below
    int32_t depth;
  };

  StateId enter(std::vector<Configuration> configurations);
  StateId work_out(StateId state, uint8_t byte);
  int32_t push(int32_t state, int32_t rest);  // -1 above the depth
  bool can_only_end(int32_t state) const { return grammar_.is_final(state) && grammar_.edges(state).empty(); }

  Grammar grammar_;
  std::vector<std::unique_ptr<State>> states_;
  std::map<std::vector<Configuration>, StateId> ids_[2];  // by is_final
  std::vector<StackNode> stacks_;
  std::map<std::pair<int32_t, int32_t>, int32_t> stack_ids_;
};

}  // namespace atelier::generate
