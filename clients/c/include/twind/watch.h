/* Watches and other streams: one request, many messages.
 *
 *     twind_watch *watch = twind_watch_twins(client, &request, NULL, &error);
 *     Twind__V1__WatchTwinsResponse *message;
 *     while (watch && (message = twind_watch_wait(watch, TWIND_NO_TIMEOUT, &error))) {
 *       printf("sequence %llu\n", (unsigned long long)message->sequence);
 *       twind_free(message);
 *     }
 *     twind_watch_close(watch);
 *
 * Each watch has a connection of its own, so you can poll its descriptor, and a slow reader delays only itself. The
 * daemon ends a watch that falls too far behind, with RESOURCE_EXHAUSTED. The library does not resume a watch that
 * failed: start another one whose `from_sequence` is the last sequence you saw.
 *
 * Use a watch from one thread at a time; only twind_watch_stop can be called from any thread.
 */
#ifndef TWIND_WATCH_H
#define TWIND_WATCH_H

#include <twind/call.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct twind_watch twind_watch;

/* Starts a server-streaming method. Returns the watch, which the caller releases with twind_watch_close, or NULL with
 * `error` set. twind_watch_twins and twind_list_facts are typed forms.
 *
 * Connecting and sending take at most the connect timeout. The options' timeout covers the whole watch; by default
 * there is none. */
TWIND_API twind_watch *twind_watch_start(twind_client *client, const twind_method *method,
                                         const ProtobufCMessage *request, const twind_call_options *options,
                                         twind_error *error);

/* A descriptor that becomes readable when twind_watch_next may have something to return. It belongs to the watch. -1 in
 * a child of fork(), where the watch fails with FAILED_PRECONDITION. */
TWIND_API int twind_watch_fd(const twind_watch *watch);

/* Returns the next message without blocking; release it with twind_free. NULL means one of:
 *
 *     error.code is TWIND_OK, twind_watch_open is true     no message has arrived yet
 *     error.code is TWIND_OK, twind_watch_open is false    the daemon ended the stream: it is complete
 *     any other code                                       the watch failed
 *
 * Several messages can arrive at once, so call it until it returns NULL before you poll again. */
TWIND_API void *twind_watch_next(twind_watch *watch, twind_error *error);

/* Like twind_watch_next, but waits up to `timeout_micros` for a message. TWIND_NO_TIMEOUT: no limit. */
TWIND_API void *twind_watch_wait(twind_watch *watch, int64_t timeout_micros, twind_error *error);

/* False once the watch has ended or failed. */
TWIND_API bool twind_watch_open(const twind_watch *watch);

/* Receives one message, which is released when it returns. It returns false to stop watching. */
typedef bool (*twind_watch_callback)(const void *message, void *context);

/* Calls `callback` for every message until it returns false, the daemon ends the watch, or the watch fails. Returns
 * TWIND_OK in the first two cases, otherwise the error's code. */
TWIND_API int twind_watch_run(twind_watch *watch, twind_watch_callback callback, void *context, twind_error *error);

/* Stops the watch: the thread that waits on it gets CANCELLED. May be called from any thread or a signal handler. */
TWIND_API void twind_watch_stop(twind_watch *watch);

/* Closes the connection, which ends the watch at the daemon. Releases the watch; does nothing if it is NULL. */
TWIND_API void twind_watch_close(twind_watch *watch);

#ifdef __cplusplus
}
#endif
#endif
