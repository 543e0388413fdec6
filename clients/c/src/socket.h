/* Finding the Unix socket, and connecting to it within a deadline. */
#ifndef TWIND_SOCKET_H
#define TWIND_SOCKET_H

#include <stdint.h>
#include <twind/error.h>

/* Returns `path`. If it is NULL: $TWIND_SOCKET, or else $XDG_RUNTIME_DIR/twind.sock, or else ./twind.sock, like the
 * daemon. An empty variable counts as unset. The caller frees the result. NULL if out of memory. */
char *socket_path(const char *path);

/* Returns a connected, non-blocking, close-on-exec descriptor, or -1 with `error` set. */
int socket_connect(const char *path, int64_t deadline, twind_error *error);

#endif
