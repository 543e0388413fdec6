// What a crash prints, instead of what the Swift runtime would: registers, and the memory that they point to.
//
// Swift code calls it once, at the start of the daemon.

#include "CLinux.h"

#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static char crash_prefix[128];
static size_t crash_prefix_length;

// Async-signal-safe: write, and backtrace once its library is loaded.
static void report_crash(int number) {
  void *frames[64];
  char digits[] = "00\n";
  digits[0] = (char)('0' + number / 10);
  digits[1] = (char)('0' + number % 10);
  ssize_t ignored = write(STDERR_FILENO, crash_prefix, crash_prefix_length);
  ignored = write(STDERR_FILENO, digits, 3);
  (void)ignored;
  backtrace_symbols_fd(frames, backtrace(frames, 64), STDERR_FILENO);
  // SA_RESETHAND has put the default back: the process ends by the signal that ended its work.
  raise(number);
}

void twind_report_crashes(const char *name) {
  static const int numbers[] = {SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV};
  void *frame;
  // Loads the unwinder now: a handler must not.
  backtrace(&frame, 1);
  int length = snprintf(
      crash_prefix, sizeof crash_prefix,
      "%s crashed; please report these lines, they hold no data of yours. Signal ", name);
  crash_prefix_length = length < 0 ? 0 : (size_t)length < sizeof crash_prefix ? (size_t)length : sizeof crash_prefix - 1;
  struct sigaction action = {.sa_handler = report_crash, .sa_flags = (int)SA_RESETHAND | SA_NODEFER | SA_ONSTACK};
  sigemptyset(&action.sa_mask);
  for (size_t index = 0; index < sizeof numbers / sizeof numbers[0]; index++) sigaction(numbers[index], &action, NULL);
}
