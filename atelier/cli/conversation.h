// The messages of a chat, as templates take them, and their file: {"messages":[{"role","content"}…]}.
#pragma once

#include <optional>
#include <string>

#include "atelier/base/json.h"
#include "atelier/base/status.h"

namespace atelier::cli {

class Conversation {
 public:
  // Replaces the system message, which stands first; an empty text removes it.
  void set_system(const std::string& text);
  void add(const std::string& role, const std::string& content, const std::string& thoughts = "");
  void remove_last() { messages_.as_array().pop_back(); }
  void clear();  // keeps the system message

  const Json& messages() const { return messages_; }
  size_t size() const { return messages_.as_array().size(); }

  Status save(const std::string& path) const;
  static Result<Conversation> load(const std::string& path);

 private:
  bool has_system() const;
  Json messages_ = Json::array();
};

}  // namespace atelier::cli
