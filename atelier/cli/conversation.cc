#include "atelier/cli/conversation.h"

#include <fmt/format.h>

#include "atelier/base/strings.h"
#include "atelier/io/atomic_file.h"
#include "atelier/io/file.h"

namespace atelier::cli {

bool Conversation::has_system() const {
  const auto& messages = messages_.as_array();
  return !messages.empty() && messages[0].find("role")->as_string() == "system";
}

void Conversation::set_system(const std::string& text) {
  Json::Array& messages = messages_.as_array();
  if (has_system()) messages.erase(messages.begin());
  if (!text.empty()) messages.insert(messages.begin(), Json::object().set("role", "system").set("content", text));
}

void Conversation::add(const std::string& role, const std::string& content, const std::string& thoughts) {
  Json message = Json::object().set("role", role).set("content", content);
  if (!thoughts.empty()) message.set("reasoning_content", thoughts);
  messages_.push_back(std::move(message));
}

void Conversation::clear() {
  Json::Array& messages = messages_.as_array();
  messages.erase(messages.begin() + (has_system() ? 1 : 0), messages.end());
}

Status Conversation::save(const std::string& path) const {
  return io::write_file(path, Json::object().set("messages", messages_).dump(2) + "\n");
}

Result<Conversation> Conversation::load(const std::string& path) {
  ATELIER_TRY(const std::string text, io::read_file(path));
  ATELIER_TRY(const Json json, Json::parse(text, path));
  const Json* messages = json.find("messages");
  if (!messages || !messages->is_array()) {
    return Status::corrupt(fmt::format("{}: messages is missing, must be an array; give a file that /save wrote", path));
  }
  Conversation conversation;
  for (const Json& message : messages->as_array()) {
    ATELIER_TRY(const std::string role, message.get_string("role"));
    ATELIER_TRY(const std::string content, message.get_string("content"));
    ATELIER_TRY(const std::string thoughts, message.get_string("reasoning_content", ""));
    if (role != "system" && role != "user" && role != "assistant") {
      return Status::corrupt(fmt::format("{}: role {}, must be system, user or assistant; correct the file", path, atelier::quoted(role)));
    }
    conversation.add(role, content, thoughts);
  }
  return conversation;
}

}  // namespace atelier::cli
