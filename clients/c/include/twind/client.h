/* Connecting to the daemon.
 *
 *     twind_error error;
 *     twind_options options = TWIND_OPTIONS_INIT;
 *     options.agent = "billing";
 *     twind_client *client = twind_connect(NULL, &options, &error);
 *     if (!client) fprintf(stderr, "%s: %s\n", twind_code_name(error.code), error.message);
 *
 * A client is one connection, and any number of threads can share it. The library starts no threads: one of the threads
 * that wait for a reply reads the socket for all of them. Times are in microseconds.
 */
#ifndef TWIND_CLIENT_H
#define TWIND_CLIENT_H

#include <twind/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct twind_client twind_client;

/* Options of a client. A field that is zero has its default, so C can write `&(twind_options){.agent = "billing"}`.
 * The strings are copied. */
typedef struct twind_options {
  const char *agent;              /* the caller's name, recorded with each fact; default: the process's user name */
  int64_t connect_timeout_micros; /* limit for one connection attempt; default 5 s */
  int64_t call_timeout_micros;    /* limit for a call that sets no timeout of its own; default 30 s */
  uint32_t unpack_factor;         /* unpacking n bytes may use this x n + 64 KiB of memory; default 32 */
  int64_t busy_poll_micros;       /* how long to poll for a reply before sleeping; default 0: sleep at once */
} twind_options;

#define TWIND_OPTIONS_INIT {NULL, 0, 0, 0, 0}

/* Busy polling: a waiting thread keeps trying to read instead of sleeping, for busy_poll_micros after it began to wait
 * or after data last arrived, but not past the call's deadline. It avoids the sleep and wake-up that take up most of a
 * round trip between two cores, and keeps a core busy meanwhile. Use it only if the calling thread has a core to
 * itself; 50 is a good value. At most one thread of a client polls at a time. After 8 waits in a row in which polling
 * found nothing, only one wait in 64 polls, until one succeeds. Watches never poll. */

/* Connects to the daemon at `path`. If it is NULL: at $TWIND_SOCKET, or else $XDG_RUNTIME_DIR/twind.sock, or else
 * ./twind.sock. `options` may be NULL. If the connection breaks later, the next call reconnects.
 *
 * Returns NULL with `error` set: UNAVAILABLE (no daemon is listening), DEADLINE_EXCEEDED (the daemon did not accept the
 * connection in time), PERMISSION_DENIED, or INVALID_ARGUMENT (the path is too long, or an option is invalid).
 *
 * After fork(), the child can use the client: its first call opens a connection of its own and leaves the parent's
 * alone. In the child, calls and watches that the parent started fail with FAILED_PRECONDITION, and closing them there
 * does not affect the parent. Do not call fork() in a signal handler that may have interrupted this library, and do not
 * use an inherited client in a child of _Fork() or clone(). */
TWIND_API twind_client *twind_connect(const char *path, const twind_options *options, twind_error *error);

/* Closes the connection and releases the client. Does nothing if `client` is NULL. No other thread may be using the
 * client. Open calls fail with CANCELLED; finish or cancel each of them all the same. Watches are not affected. */
TWIND_API void twind_close(twind_client *client);

#ifdef __cplusplus
}
#endif
#endif
