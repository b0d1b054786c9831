// A verb of the command line: one file in cli/commands/ that exports one `const CommandDef command_<verb>`; CMake writes the table.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <span>

#include "atelier/base/status.h"
#include "atelier/cli/args.h"

namespace atelier::cli {

// Where a verb reads and writes, and the options that all verbs share.
struct Console {
  std::istream& in;
  std::ostream& out;  // results
  std::ostream& err;  // progress, prompts; warnings go through base/log.h
  bool is_in_terminal = false, is_out_terminal = false, is_err_terminal = false;

  bool is_json = false;
  bool is_verbose = false;
  std::optional<int64_t> seed = {};  // --seed
};

// Runs the verb after its options were filled in. InvalidArgument: what was typed is wrong (exit status 2); other errors: it failed (1).
using CommandBody = std::function<Status(Console& console)>;

struct CommandDef {
  const char* name;
  const char* group;                   // heading of `atelier --help`: "look", "run", "make", "serve"
  const char* summary;                 // one line
  const char* example;                 // a command line that works
  CommandBody (*declare)(Args& args);  // declares the options; what it returns owns the variables
};

// Every verb, sorted by name.
std::span<const CommandDef* const> commands();

}  // namespace atelier::cli
