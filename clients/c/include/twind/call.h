/* Unary calls: one at a time, or many in flight.
 *
 * The generated headers have typed forms: twind_get_twin is twind_invoke, twind_start_get_twin is twind_start.
 */
#ifndef TWIND_CALL_H
#define TWIND_CALL_H

#include <stdbool.h>
#include <twind/client.h>
#include <twind/method.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct twind_call twind_call;

typedef struct twind_metadata {
  const char *key, *value;
} twind_metadata;

#define TWIND_NO_TIMEOUT INT64_MAX

/* Zero in a field = its default; NULL options = all defaults. */
typedef struct twind_call_options {
  int64_t timeout_micros; /* the client's call timeout; negative = DEADLINE_EXCEEDED at once */
  const twind_metadata *metadata;
  size_t n_metadata; /* at most 16 pairs and 4 KiB, the agent included */
  bool corked;       /* of twind_start: leave the request in the buffer until something else is written or awaited */
  const char *agent; /* who calls; NULL = the client's agent */
} twind_call_options;

#define TWIND_CALL_OPTIONS_INIT {0, NULL, 0, false, NULL}

/* Calls and waits. The reply (of the method's response type; release it with twind_free), or NULL with `error`.
 * The timeout covers all of it, a reconnect included. UNAVAILABLE: the connection broke. Whether a write took
 * effect is then unknown if the message says so; an idempotency key makes repeating it safe. */
TWIND_API void *twind_invoke(twind_client *client, const twind_method *method, const ProtobufCMessage *request,
                             const twind_call_options *options, twind_error *error);

/* Sends a request and does not wait for the reply, so that many can be on their way: start n calls, then finish
 * them in the same order. All but the last `corked` go out in one write. At most 128 calls are open at once;
 * starting one more first reads a reply for one of them. The returned call belongs to the caller until
 * twind_finish or twind_cancel, and one thread at a time uses it. In a child of fork() its result is refused,
 * FAILED_PRECONDITION; to finish or to cancel it there does nothing to the parent. NULL with `error`. */
TWIND_API twind_call *twind_start(twind_client *client, const twind_method *method, const ProtobufCMessage *request,
                                  const twind_call_options *options, twind_error *error);

/* Waits for the reply as twind_invoke does, and releases the call in any case. */
TWIND_API void *twind_finish(twind_call *call, twind_error *error);

/* Gives the call up: tells the daemon, releases the call. NULL is fine. */
TWIND_API void twind_cancel(twind_call *call);

#ifdef __cplusplus
}
#endif
#endif
