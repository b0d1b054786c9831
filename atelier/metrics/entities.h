// Entities in tagged text, and how many of them were found, as seqeval counts them.
//
// An entity counts where kind, first and last word are right. Kinds are what stands behind "B-" or "I-".
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "atelier/metrics/labels.h"

namespace atelier::metrics {

struct Entity {
  std::string kind;
  int64_t first, last;  // words

  bool operator==(const Entity&) const = default;
};

enum class EntityScheme : uint8_t {
  kConll,       // conlleval's rules, seqeval's default: I-X opens an entity where none of X is open; B, I, E, S
  kStrictIob2,  // seqeval's mode="strict", scheme=IOB2: an entity opens with B-X and goes on with I-X, all else is no entity
};

std::vector<Entity> entities_of(std::span<const std::string> tags, EntityScheme scheme);

struct EntityScores {
  Rates all;                           // of all entities together (micro)
  std::map<std::string, Rates> kinds;  // of every kind that is expected or predicted
};

// Texts as lists of tags; a predicted text is as long as the expected one. InternalError where lengths differ.
EntityScores entity_scores(std::span<const std::vector<std::string>> predicted, std::span<const std::vector<std::string>> expected,
                           EntityScheme scheme);

}  // namespace atelier::metrics
