// The paths that origins stand for: "messages[1].content", "tools[0].function.name".
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "atelier/tokenize/jinja/text.h"

namespace atelier::tokenize::jinja {

class OriginTable {
 public:
  Origin add_root(const std::string& name) { return add(kTemplate, name); }
  Origin add_member(Origin parent, const std::string& key) { return add(parent, key); }
  Origin add_element(Origin parent, size_t index) { return add(parent, index); }

  // kTemplate has no path.
  std::string path(Origin origin) const;

 private:
  struct Node {
    Origin parent;  // kTemplate for a root
    std::variant<std::string, size_t> step;
  };
  Origin add(Origin parent, std::variant<std::string, size_t> step) {
    nodes_.push_back({parent, std::move(step)});
    return static_cast<Origin>(nodes_.size());
  }
  std::vector<Node> nodes_;  // of origin i + 1
};

}  // namespace atelier::tokenize::jinja
