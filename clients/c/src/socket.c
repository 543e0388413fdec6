/* Finding the socket and connecting to it. */
#define _GNU_SOURCE
#include "socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "fault.h"

char *socket_path(const char *path) {
  if (path) return strdup(path);
  const char *named = getenv("TWIND_SOCKET");
  if (named && *named) return strdup(named);
  const char *runtime = getenv("XDG_RUNTIME_DIR");
  if (!runtime || !*runtime) return strdup("./twind.sock");
  char *result;
  return asprintf(&result, "%s/twind.sock", runtime) < 0 ? NULL : result;
}

static void connect_fault(twind_error *error, const char *path, int reason) {
  char text[128];
  const char *why = strerror_r(reason, text, sizeof text);
  switch (reason) {
    case ENOENT:
    case ECONNREFUSED:
      return fault(error, TWIND_UNAVAILABLE,
                   "no daemon is listening at %s (%s): start one with `twind serve --socket %s`, or name its socket in "
                   "TWIND_SOCKET",
                   path, why, path);
    case EACCES:
    case EPERM:
      return fault(error, TWIND_PERMISSION_DENIED, "%s: %s: ask the daemon's owner for --socket-mode or --socket-group",
                   path, why);
    default:
      return fault(error, TWIND_UNAVAILABLE, "cannot connect to %s: %s", path, why);
  }
}

/* If the listener's backlog is full, a non-blocking connect fails with EAGAIN, and nothing tells when there is room. So
 * it tries again, after 0.5 ms to 16 ms. */
static int connect_until(int fd, const struct sockaddr_un *address, int64_t deadline) {
  for (int64_t pause = 500000;;) {
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0) return 0;
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return errno;
    if (deadline_passed(deadline)) return ETIMEDOUT;
    int64_t left = deadline == NO_DEADLINE ? pause : earlier(pause, deadline - clock_now());
    struct timespec sleep = timespec_of(left);
    ppoll(NULL, 0, &sleep, NULL);
    if (pause < 16000000) pause *= 2;
  }
}

int socket_connect(const char *path, int64_t deadline, twind_error *error) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(path);
  if (length == 0 || length >= sizeof address.sun_path) {
    fault(error, TWIND_INVALID_ARGUMENT, "the socket path \"%s\" has %zu bytes; it must have 1 to %zu", path, length,
          sizeof address.sun_path - 1);
    return -1;
  }
  memcpy(address.sun_path, path, length + 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    connect_fault(error, path, errno);
    return -1;
  }
  int failure = connect_until(fd, &address, deadline);
  if (failure == 0) return fd;
  close(fd);
  if (failure == ETIMEDOUT)
    fault(error, TWIND_DEADLINE_EXCEEDED, "the daemon at %s did not accept the connection: its backlog is full", path);
  else
    connect_fault(error, path, failure);
  return -1;
}
