// Ctrl-C: the first one asks the running verb to end cleanly, a second one ends the process.
#pragma once

namespace atelier::cli {

void install_interrupt_handler();  // for SIGINT and SIGTERM
bool is_interrupted();
void clear_interrupt();  // chat: the answer has ended, the conversation goes on

}  // namespace atelier::cli
