// One line of input; on a terminal Ctrl-C ends the waiting.
#pragma once

#include <string>

#include "atelier/cli/command.h"

namespace atelier::cli {

enum class LineRead { kLine, kEnd, kInterrupted };

// `line` without its line break. `console.in` is the standard input where it is a terminal.
LineRead read_line(Console& console, std::string& line);

}  // namespace atelier::cli
