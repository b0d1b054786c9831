// Reads one call as JSON while it is being written: {"name": "f", "arguments": {…}}, its members in any order, white space anywhere.
//
// Also understood: the name under "tool_name", the arguments under "parameters" or as a string of JSON (which comes out as its text), and
// both inside "function": {…}. The text is not checked as JSON beyond its brackets and strings: what a model writes is what its caller
// gets.
#pragma once

#include <string>

namespace atelier::generate {

class ToolCallReader {
 public:
  // With a name the text is the arguments' object alone.
  ToolCallReader() = default;
  explicit ToolCallReader(std::string name);

  enum class Step { kMore, kDone, kBad };
  Step push(char c);

  const std::string& name() const { return name_; }  // empty: not known yet
  // Arguments that came since the last call, once the name is known.
  std::string take_arguments();

 private:
  enum class At { kStart, kKeyOrEnd, kKey, kInKey, kColon, kValue, kInString, kInBrackets, kInScalar, kNext, kDone };
  static constexpr size_t kMaxName = 256, kMaxDepth = 128;

  Step push_bracketed(char c);
  Step end_value();
  bool is_streamed() const { return is_arguments_alone_ || key_ == "arguments" || key_ == "parameters"; }
  void keep(char c);

  At at_ = At::kStart;
  bool is_arguments_alone_ = false, is_escaped_ = false, is_in_string_ = false, has_arguments_ = false;
  size_t depth_ = 0;
  std::string key_, value_, name_, arguments_;
};

}  // namespace atelier::generate
