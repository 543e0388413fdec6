// Command c-client checks a server with a client that behaves like containerd's Go library 1.2.3.
//
// Usage: c-client echo|twind SOCKET [WORD]. It prints one line for each check (with WORD: for those whose name has it)
// and ends with status 0 when all of them hold, else 1. `echo` is for a server of echo.proto; `twind` is for a twind
// that permits everything (--dev) and whose twins nobody needs. The interop stage runs it against ours.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

int main(int count, char **arguments) {
  const struct check_entry *entries = NULL;
  if (count >= 3 && strcmp(arguments[1], "echo") == 0) entries = echo_checks;
  if (count >= 3 && strcmp(arguments[1], "twind") == 0) entries = twind_checks;
  if (!entries || count > 4) {
    fprintf(stderr, "usage: c-client echo|twind SOCKET [WORD]\n");
    return 2;
  }
  int run = 0, failed = 0;
  for (; entries->name; entries++) {
    if (count == 4 && !strstr(entries->name, arguments[3])) continue;
    run++;
    if (!check_holds(entries, arguments[2])) failed++;
  }
  if (failed > 0) {
    printf("c client: %d of %d checks failed\n", failed, run);
  } else {
    printf("c client: %d checks ok\n", run);
  }
  fflush(stdout);
  // A check that hangs has been left behind: it must not be waited for.
  _exit(failed == 0 ? 0 : 1);
}
