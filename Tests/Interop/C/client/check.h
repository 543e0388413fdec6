// What a check is, and what runs one: in a thread of its own, within a time limit, on a connection of its own.
#ifndef INTEROP_CHECK_H
#define INTEROP_CHECK_H

#include <stdbool.h>

#include "go_client.h"

// How long one answer, or one message of a stream, may take.
enum { ANSWER_MILLIS = 10000 };

struct check {
  const char *socket_path;
  struct client *client;  // Connected.
  char why[1024];         // It does not hold.
};

struct check_entry {
  const char *name;  // Says what holds when it passes.
  bool (*run)(struct check *check);
  int limit_seconds;
};

// Of a server of echo.proto, and of twind. After the last one comes one without a name.
extern const struct check_entry echo_checks[], twind_checks[];

// Runs one, prints a line, and gives up after its limit: whatever hangs is left behind until the program ends.
bool check_holds(const struct check_entry *entry, const char *socket_path);

// Says why a check does not hold. Returns false.
bool check_failed(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Whether the reply has this code; else says what came instead. Clears the reply.
bool check_code(struct check *check, struct reply reply, int code, const char *what);

// These end a check that does not hold.
#define REQUIRE(check, condition, ...)                           \
  do {                                                           \
    if (!(condition)) return check_failed((check), __VA_ARGS__); \
  } while (0)

#define REQUIRE_CODE(check, call, code)                            \
  do {                                                             \
    if (!check_code((check), (call), (code), #call)) return false; \
  } while (0)

#endif
