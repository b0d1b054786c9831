#include "atelier/tokenize/jinja/origins.h"

namespace atelier::tokenize::jinja {

std::string OriginTable::path(Origin origin) const {
  std::vector<const Node*> chain;
  for (; origin != kTemplate; origin = chain.back()->parent) chain.push_back(&nodes_[origin - 1]);
  std::string path;
  for (auto node = chain.rbegin(); node != chain.rend(); ++node) {
    if (auto* index = std::get_if<size_t>(&(*node)->step)) {
      path += "[" + std::to_string(*index) + "]";
    } else {
      if (!path.empty()) path += ".";
      path += std::get<std::string>((*node)->step);
    }
  }
  return path;
}

}  // namespace atelier::tokenize::jinja
