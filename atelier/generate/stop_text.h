// Stop strings that may begin in one token and end in another.
//
// Text that could still become a stop string is held back until it is decided, so that no byte of a stop string is ever emitted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atelier::generate {

class StopText {
 public:
  // Empty stop strings are ignored.
  explicit StopText(std::vector<std::string> stops);

  // Adds text and returns what may be shown now. Once the text holds a stop string (of several, the one that begins first; of those
  // that begin at the same place, the longest), everything from it on is dropped and matched() names it.
  std::string push(std::string_view text);

  // The text still held back, when generation ends for another reason.
  std::string finish();

  bool has_matched() const { return has_matched_; }
  const std::string& matched() const { return matched_; }

 private:
  size_t held_length() const;  // of the longest end of pending_ that begins a stop string

  std::vector<std::string> stops_;
  std::string pending_;
  std::string matched_;
  bool has_matched_ = false;
};

}  // namespace atelier::generate
