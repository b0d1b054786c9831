// Arguments of a call that are written one by one instead of as a JSON object (ToolFormat::key_open).
//
// A text stands as it is, without quotes; every other value as JSON. Which of the two a value is, the function's schema says; where it does
// not, what reads as JSON is no text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/generate/grammar/grammar.h"
#include "atelier/generate/tool_format.h"

namespace atelier::generate {

// The members of a JSON object, which is text, in the form of `format`; nothing for what is no object.
std::string write_tagged_arguments(const ToolFormat& format, const std::string& object);

// The arguments that a schema (null: any) allows, in its order. Its own errors, and Unsupported for what cannot be held to it in this form:
// an object that is more than properties, texts with `format`.
Result<std::vector<GrammarRule>> tagged_argument_rules(const ToolFormat& format, const Json& schema);

// Reads arguments while they are being written, into the text of a JSON object.
class TaggedArguments {
 public:
  TaggedArguments() = default;
  // The format must outlive it.
  TaggedArguments(const ToolFormat& format, Json schema);

  enum class Step { kMore, kDone };
  // Takes what can be read from the front of `text`. kMore: more of it has to come; kDone: what follows is no argument.
  Step read(std::string& text);
  // No more comes: arguments that are whole make an object.
  void finish();
  // What came of the object since the last call.
  std::string take();

 private:
  enum class At { kKeyOrEnd, kKey, kValueOpen, kValue, kDone };
  static constexpr size_t kMaxKey = 256;

  bool step(std::string& text);  // false: more text has to come
  bool read_value(std::string& text);
  void put_value(std::string_view value, bool is_whole);
  void end();

  std::string key_open_, key_close_, value_open_, value_close_;  // without white space around
  bool has_line_breaks_ = false;                                 // around a value
  Json schema_;
  At at_ = At::kKeyOrEnd;
  bool is_text_ = false, is_text_begun_ = false;  // of the value
  size_t num_arguments_ = 0;
  std::string out_;
};

}  // namespace atelier::generate
