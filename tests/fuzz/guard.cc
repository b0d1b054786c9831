#include "tests/fuzz/guard.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/fuzz/fuzz.h"

// Present in programs built with AddressSanitizer, null elsewhere.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*, size_t),
                                                         void (*free_hook)(const volatile void*)) __attribute__((weak));
// A report ends in SIGABRT, so that the handler below keeps the input.
extern "C" const char* __asan_default_options() { return "abort_on_error=1"; }
extern "C" const char* __ubsan_default_options() { return "abort_on_error=1:print_stacktrace=1"; }

namespace atelier::fuzz {
namespace {

Limits g_limits;
std::string g_failure_path;
const std::string* g_input = nullptr;  // while a target runs
const std::string* g_how = nullptr;

// Signal handlers may only use system calls.
void say(const char* text) {
  if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) std::_Exit(3);
}

void keep_input() {
  if (g_input == nullptr) return;
  const int file = ::open(g_failure_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const bool kept = file >= 0 && ::write(file, g_input->data(), g_input->size()) == static_cast<ssize_t>(g_input->size());
  if (file >= 0) ::close(file);
  say("fuzz: failed on ");
  say(g_how->c_str());
  say(kept ? "; the input is kept in " : "; the input could not be kept in ");
  say(g_failure_path.c_str());
  say("\n");
  g_input = nullptr;
}

void on_signal(int signal) {
  if (signal == SIGPROF) say("fuzz: the input takes too long\n");
  keep_input();
  std::signal(signal == SIGPROF ? SIGABRT : signal, SIG_DFL);
  ::raise(signal == SIGPROF ? SIGABRT : signal);
}

void on_malloc(const volatile void*, size_t count) {
  if (g_input == nullptr || count <= g_limits.max_allocation_bytes) return;
  char text[96];
  std::snprintf(text, sizeof text, "fuzz: one allocation of %zu bytes for an input of %zu\n", count, g_input->size());
  say(text);
  std::abort();
}
void on_free(const volatile void*) {}

// SIGPROF comes after `seconds` of processor time, so that a busy machine makes no failure; 0 switches it off.
void limit_time(unsigned seconds) {
  const struct itimerval timer = {{0, 0}, {static_cast<time_t>(seconds), 0}};
  ::setitimer(ITIMER_PROF, &timer, nullptr);
}

void check_resident() {
  struct rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  const size_t resident = static_cast<size_t>(usage.ru_maxrss) * 1024;
  if (resident > g_limits.max_resident_bytes) fail("the process has grown to " + std::to_string(resident) + " bytes");
}

}  // namespace

void install_guard(const Limits& limits, const std::string& failure_path) {
  g_limits = limits;
  g_failure_path = failure_path;
  std::signal(SIGABRT, on_signal);
  std::signal(SIGPROF, on_signal);
  if (__sanitizer_install_malloc_and_free_hooks != nullptr) {  // the sanitizer reports the other signals better than we could
    __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
  } else {
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, on_signal);
  }
}

void run_guarded(const std::string& input, const std::string& how) {
  g_input = &input;
  g_how = &how;
  limit_time(g_limits.max_cpu_seconds);
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  limit_time(0);
  check_resident();
  g_input = nullptr;
}

}  // namespace atelier::fuzz
