#include "atelier/metrics/entities.h"

#include <algorithm>
#include <string_view>

#include "atelier/base/error.h"

namespace atelier::metrics {
namespace {

struct Tag {
  char place;  // B, I, E, S or O
  std::string_view kind;
};

constexpr Tag kOutside{'O', "_"};

// "B-PER" -> B, PER. Without a kind all entities are of one, "_".
Tag tag_of(std::string_view text) {
  if (text.empty()) return kOutside;
  const std::string_view rest = text.substr(1);
  const std::string_view kind = rest.substr(rest.find('-') == rest.npos ? 0 : rest.find('-') + 1);
  return {text[0], kind.empty() ? "_" : kind};
}

bool is_one_of(char place, std::string_view places) { return places.find(place) != places.npos; }

// Whether an entity that runs at `before` is over at `tag`.           (conlleval.pl, endOfChunk)
bool ends_before(const Tag& before, const Tag& tag) {
  if (before.place == 'O') return false;
  if (is_one_of(before.place, "ES") || is_one_of(tag.place, "BSO")) return true;
  return before.kind != tag.kind;
}

// Whether one begins at `tag`.                                        (conlleval.pl, startOfChunk)
bool begins_at(const Tag& before, const Tag& tag) {
  if (tag.place == 'O') return false;
  if (is_one_of(tag.place, "BS") || is_one_of(before.place, "ESO")) return true;
  return before.kind != tag.kind;
}

}  // namespace

std::vector<Entity> entities_of(std::span<const std::string> tags, EntityScheme scheme) {
  std::vector<Entity> entities;
  bool is_open = false;  // the last one may go on
  Tag before = kOutside;
  for (size_t i = 0; i < tags.size(); ++i) {
    const Tag tag = tag_of(tags[i]);
    const auto word = static_cast<int64_t>(i);
    if (is_open && ends_before(before, tag)) is_open = false;
    const bool may_begin = scheme == EntityScheme::kConll || tag.place == 'B';
    if (may_begin && begins_at(before, tag)) {
      entities.push_back({std::string(tag.kind), word, word});
      is_open = true;
    } else if (is_open) {
      entities.back().last = word;
    }
    before = tag;
  }
  return entities;
}

EntityScores entity_scores(std::span<const std::vector<std::string>> predicted, std::span<const std::vector<std::string>> expected,
                           EntityScheme scheme) {
  ATELIER_CHECK(predicted.size() == expected.size());
  std::map<std::string, Counts> kinds;
  for (size_t text = 0; text < expected.size(); ++text) {
    ATELIER_CHECK(predicted[text].size() == expected[text].size());
    const std::vector<Entity> found = entities_of(predicted[text], scheme), wanted = entities_of(expected[text], scheme);
    for (const Entity& entity : wanted) ++kinds[entity.kind].expected;
    for (const Entity& entity : found) {
      Counts& counts = kinds[entity.kind];
      ++counts.predicted;
      if (std::ranges::find(wanted, entity) != wanted.end()) ++counts.correct;
    }
  }
  EntityScores scores;
  Counts all;
  for (const auto& [kind, counts] : kinds) {
    scores.kinds[kind] = counts.rates();
    all += counts;
  }
  scores.all = all.rates();
  return scores;
}

}  // namespace atelier::metrics
