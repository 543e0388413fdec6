/* Watches: one request, many messages, taken by polling a file descriptor, by waiting, or by callback.
 *
 * A watch has a connection of its own: its descriptor can be polled, nothing is queued in this process, and a
 * slow reader slows only itself (the daemon ends a watch that falls too far behind, RESOURCE_EXHAUSTED). A watch
 * that broke is not resumed by the library: start one with `from_sequence` = the last sequence seen. Waiting on a
 * watch always sleeps, also when the client's calls poll busily: a message may be long in coming.
 */
#ifndef TWIND_WATCH_H
#define TWIND_WATCH_H

#include <twind/call.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct twind_watch twind_watch;

/* Starts a server-streaming method; typed form: twind_watch_twins. Connecting and sending take at most the
 * connect timeout. The options' timeout covers the whole watch; here its default is none. Release it with
 * twind_watch_close. NULL with `error`. */
TWIND_API twind_watch *twind_watch_start(twind_client *client, const twind_method *method,
                                         const ProtobufCMessage *request, const twind_call_options *options,
                                         twind_error *error);

/* Readable when the next message may have come, or the end. -1 in a child of fork(), where the watch is refused with
 * FAILED_PRECONDITION. */
TWIND_API int twind_watch_fd(const twind_watch *watch);

/* The next message (release it with twind_free), never blocking. NULL and code TWIND_OK: none is there yet, if
 * twind_watch_open; else the daemon ended the watch in good order. NULL and another code: it failed. Take
 * messages until NULL before polling again: several may have come at once. */
TWIND_API void *twind_watch_next(twind_watch *watch, twind_error *error);

/* twind_watch_next, but sleeps up to `timeout_micros` (TWIND_NO_TIMEOUT = for ever) for a message. */
TWIND_API void *twind_watch_wait(twind_watch *watch, int64_t timeout_micros, twind_error *error);

/* True until the end or a failure was read. */
TWIND_API bool twind_watch_open(const twind_watch *watch);

/* Takes one message, which is released afterwards. False = stop watching. */
typedef bool (*twind_watch_callback)(const void *message, void *context);

/* Hands every message to `callback` until it returns false, the daemon ends the watch, or it fails. TWIND_OK in
 * the first two cases, else the error's code. */
TWIND_API int twind_watch_run(twind_watch *watch, twind_watch_callback callback, void *context, twind_error *error);

/* Ends the watch from another thread or a signal handler: whoever waits on it gets CANCELLED. */
TWIND_API void twind_watch_stop(twind_watch *watch);

/* Closes the connection, which tells the daemon; NULL is fine. */
TWIND_API void twind_watch_close(twind_watch *watch);

#ifdef __cplusplus
}
#endif
#endif
