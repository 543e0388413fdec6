/* The Unix socket: where it is, and connecting to it within a deadline. */
#ifndef TWIND_SOCKET_H
#define TWIND_SOCKET_H

#include <stdint.h>
#include <twind/error.h>

/* `path`, or for NULL $TWIND_SOCKET, else $XDG_RUNTIME_DIR/twind.sock, else ./twind.sock, as the daemon does.
 * An empty variable counts as absent. To be freed; NULL when memory ends. */
char *socket_path(const char *path);

/* A connected, non-blocking, close-on-exec descriptor, or -1 with `error`. */
int socket_connect(const char *path, int64_t deadline, twind_error *error);

#endif
