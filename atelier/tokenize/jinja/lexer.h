// Splits a template into tokens, as Jinja's lexer does with trim_blocks and lstrip_blocks on.
//
// White space: "{%-" and "-%}" eat all of it on their side; a line that holds nothing before a block or comment loses its indent
// unless the tag says "{%+"; one newline after a block or comment is dropped unless it says "+%}"; the last newline of the source goes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace atelier::tokenize::jinja {

struct Token {
  enum class Type { kData, kVariableBegin, kVariableEnd, kBlockBegin, kBlockEnd, kName, kString, kInteger, kFloat, kOperator, kEnd };
  Type type;
  int line;
  std::string text;     // data, name, operator or the value of a string
  int64_t integer = 0;  // of kInteger
  double real = 0;      // of kFloat

  bool is_operator(const char* symbol) const { return type == Type::kOperator && text == symbol; }
  bool is_name(const char* name) const { return type == Type::kName && text == name; }
  std::string describe() const;
};

// The tokens of `source` (valid UTF-8), closed by one of type kEnd. Throws TemplateError.
std::vector<Token> tokenize(const std::string& source);

}  // namespace atelier::tokenize::jinja
