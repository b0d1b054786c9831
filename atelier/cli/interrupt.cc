#include "atelier/cli/interrupt.h"

#include <csignal>

namespace atelier::cli {
namespace {

volatile std::sig_atomic_t g_is_interrupted = 0;

void on_signal(int signal) {
  if (g_is_interrupted) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  g_is_interrupted = 1;
}

}  // namespace

void install_interrupt_handler() {
  struct sigaction action = {};
  action.sa_handler = on_signal;  // without SA_RESTART, so that waiting for a line of input ends too
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool is_interrupted() { return g_is_interrupted != 0; }
void clear_interrupt() { g_is_interrupted = 0; }

}  // namespace atelier::cli
