// Separates calls of functions from what else an answer says, while it is being written.
//
// A call's name comes out as soon as it is known to be one of the tools', its arguments as they come. What looked like a call and is none
// (another name, broken JSON) stays text. Nothing is ever taken back.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/generate/tool_arguments.h"
#include "atelier/generate/tool_call_reader.h"
#include "atelier/generate/tool_format.h"

namespace atelier::generate {

class ToolCallSplitter {
 public:
  // The format must outlive it. `tools` are those that may be called.
  ToolCallSplitter(const ToolFormat& format, std::vector<Tool> tools);

  // Text, or a part of call number `call`: its name in the first part, then pieces of its arguments.
  struct Piece {
    std::string text;
    std::optional<size_t> call;
    std::string name, arguments;
  };
  std::vector<Piece> push(std::string_view text);
  std::vector<Piece> finish();

  size_t num_calls() const { return num_calls_; }

 private:
  // Where the front of pending_ stands: in text; behind `begin` or a call; where a name or an object begins; inside one; behind it.
  enum class At { kText, kBetween, kCall, kName, kObject, kArguments, kListNext, kClose, kExpression };
  enum class Move { kOn, kWait };  // more can be read now, or only when more text has come

  Move step(std::vector<Piece>& out);
  Move read_text(std::vector<Piece>& out);
  Move read_between(std::vector<Piece>& out);
  Move read_call();
  Move read_name();
  Move read_tagged_name(std::vector<Piece>& out);
  Move read_arguments(std::vector<Piece>& out);
  Move read_object(std::vector<Piece>& out);
  Move read_list_next();
  Move read_close();
  Move read_expression(std::vector<Piece>& out);

  void say(std::string text, std::vector<Piece>& out);
  void give_up(std::vector<Piece>& out);  // what was read since the sign is text
  void begin_object(ToolCallReader reader);
  void tell_arguments(std::string arguments, std::vector<Piece>& out);  // of the last call
  bool skip_space();                                                    // false: nothing is left
  // Takes `sign` from the front. kWait through `waits` when the front may still become it.
  bool take(std::string_view sign, bool& waits);
  const Tool* find_tool(std::string_view name) const;

  const ToolFormat& format_;
  const std::vector<Tool> tools_;
  const std::string begin_, open_, middle_, close_, end_, expression_;  // without white space around
  At at_ = At::kText;
  std::string pending_;  // not read yet
  std::string raw_;      // read since the sign of a call whose name is not known yet
  ToolCallReader reader_;
  TaggedArguments arguments_;
  bool has_said_ = false, is_told_ = false, is_list_ = false;
  size_t num_calls_ = 0;
};

}  // namespace atelier::generate
