// The program `atelier`: standard streams, signals, one call of cli::run.
#include <unistd.h>

#include <iostream>

#include "atelier/cli/interrupt.h"
#include "atelier/cli/run.h"

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  atelier::cli::install_interrupt_handler();
  atelier::cli::Console console{std::cin, std::cout, std::cerr};
  console.is_in_terminal = isatty(STDIN_FILENO) != 0;
  console.is_out_terminal = isatty(STDOUT_FILENO) != 0;
  console.is_err_terminal = isatty(STDERR_FILENO) != 0;
  return atelier::cli::run({argv + 1, argv + argc}, console);
}
