// What verbs read from the command line besides options: texts from an option, a file or stdin, and lists of ids.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "atelier/cli/command.h"

namespace atelier::cli {

// The text given by an option or in `file` ("-" is stdin), never both. With neither, stdin when it is no terminal.
// `option` names the first in error messages.
Result<std::string> input_text(const std::optional<std::string>& text, const std::optional<std::string>& file, const char* option,
                               Console& console);

// "1,17,45" with white space allowed around the numbers.
Result<std::vector<int32_t>> parse_ids(const std::string& text);

}  // namespace atelier::cli
