// Separates what a model thinks from what it answers: text between its family's tags, in a stream.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atelier::generate {

struct ThoughtTags {
  std::string_view open = "<think>", close = "</think>";
};
// The tags that a chat template shows; those of most families where it shows none.
ThoughtTags thought_tags(std::string_view chat_template);

// What an answer begins with: its text, a thought that the prompt has opened, or what the model likes better.
enum class ThoughtStart { kNone, kInside, kMayOpen };
ThoughtStart thought_start(std::string_view prompt, std::string_view chat_template);

class ThoughtSplitter {
 public:
  // `starts_inside`: the prompt already opened a thought, as some chat templates do.
  explicit ThoughtSplitter(bool starts_inside = false, ThoughtTags tags = {}) : tags_(tags), is_inside_(starts_inside) {}

  struct Piece {
    std::string text;
    bool is_thought;
  };
  // Text that could still become a tag is held back. The tags themselves are dropped, and so is white space after them.
  std::vector<Piece> push(std::string_view text);
  std::vector<Piece> finish();

 private:
  void take(size_t length, std::vector<Piece>& out);  // moves the front of pending_ into out

  ThoughtTags tags_;
  std::string pending_;
  bool is_inside_;
  bool is_after_tag_ = false;
};

// True when `prompt` ends within a thought.
bool ends_inside_thought(std::string_view prompt);

}  // namespace atelier::generate
