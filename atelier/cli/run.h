// From a command line to an exit status: finds the verb, parses its options, runs it, prints the error line.
#pragma once

#include <string>
#include <vector>

#include "atelier/cli/command.h"

namespace atelier::cli {

inline constexpr int kExitOk = 0;      // done
inline constexpr int kExitFailed = 1;  // it failed
inline constexpr int kExitUsage = 2;   // the command line is wrong

// `arguments` without the program's name. Exceptions end here, as an error line.
int run(const std::vector<std::string>& arguments, Console& console);

}  // namespace atelier::cli
