// Separates what a model thinks from what it answers: text between "<think>" and "</think>", in a stream.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atelier::generate {

class ThoughtSplitter {
 public:
  // `starts_inside`: the prompt already opened a thought, as some chat templates do.
  explicit ThoughtSplitter(bool starts_inside = false) : is_inside_(starts_inside) {}

  struct Piece {
    std::string text;
    bool is_thought;
  };
  // Text that could still become a tag is held back. The tags themselves are dropped, and so is white space after them.
  std::vector<Piece> push(std::string_view text);
  std::vector<Piece> finish();

 private:
  void take(size_t length, std::vector<Piece>& out);  // moves the front of pending_ into out

  std::string pending_;
  bool is_inside_;
  bool is_after_tag_ = false;
};

// True when `prompt` ends within a thought.
bool ends_inside_thought(std::string_view prompt);

}  // namespace atelier::generate
