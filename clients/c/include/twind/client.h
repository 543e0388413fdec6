/* A client: one connection to the daemon that any number of threads share.
 *
 * The library starts no threads. Whoever waits for a reply reads the socket for all who wait.
 */
#ifndef TWIND_CLIENT_H
#define TWIND_CLIENT_H

#include <twind/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct twind_client twind_client;

/* Zero in a field = its default, so `&(twind_options){.agent = "billing"}` is a good set of options in C. In C++
 * begin with `twind_options options = TWIND_OPTIONS_INIT`. */
typedef struct twind_options {
  const char *agent;              /* who calls, recorded as the source; NULL = the name of the process's user */
  int64_t connect_timeout_micros; /* for one connect; default 5 s */
  int64_t call_timeout_micros;    /* for a call that states none; default 30 s */
  uint32_t unpack_factor;         /* unpacking a message of n bytes may take this x n + 64 KiB; default 32 */
  int64_t busy_poll_micros;       /* poll for a reply this long before sleeping; default 0: sleep at once */
} twind_options;

#define TWIND_OPTIONS_INIT {NULL, 0, 0, 0, 0}

/* Busy polling: a thread that waits for a reply tries to read it again and again, and sleeps only once
 * busy_poll_micros have passed since it began to wait, or since bytes last came; never past the call's deadline.
 * This saves going to sleep and waking up, most of a round trip between two cores, and takes a whole core while it
 * lasts. Use it when the calling thread has a core of its own: two or more cores, one of which the daemon and others
 * leave alone. 50 is a good value. At most one thread of a client polls; the others sleep until it has read for them.
 * A daemon that takes longer is not polled for: after 8 waits in a row that found nothing while polling, one wait of
 * 64 polls, until one finds something. Watches, which may wait for ever, always sleep. */

/* Connects to the daemon at `path`; NULL = $TWIND_SOCKET, else $XDG_RUNTIME_DIR/twind.sock, else ./twind.sock.
 * NULL on error: UNAVAILABLE (nobody listens), DEADLINE_EXCEEDED (the daemon accepts nobody within the connect
 * timeout), PERMISSION_DENIED, INVALID_ARGUMENT (the path is too long). `options` may be NULL.
 *
 * A connection that breaks later is made anew by the next call.
 *
 * After fork() the child may go on using the client: its first call connects anew, and the parent's connection is left
 * alone. Calls and watches that the parent has started are refused there, FAILED_PRECONDITION: start others. Closing
 * any of them in the child ends nothing for the parent. fork() must not be called in a signal handler that may have
 * interrupted this library, and children of _Fork() and clone() must not use a client that they inherit. */
TWIND_API twind_client *twind_connect(const char *path, const twind_options *options, twind_error *error);

/* Closes the connection; NULL is fine. No other thread may be inside a function on this client. Calls that were
 * started and not finished end CANCELLED and must still be finished or cancelled. Watches live on. */
TWIND_API void twind_close(twind_client *client);

#ifdef __cplusplus
}
#endif
#endif
