/* Unary calls, one at a time or pipelined:
 *
 *     twind_call *first = twind_start_get_twin(client, &get_ada, NULL, &error);
 *     twind_call *second = twind_start_get_twin(client, &get_ben, NULL, &error);
 *     Twind__V1__GetTwinResponse *ada = first ? twind_finish(first, &error) : NULL;
 *     Twind__V1__GetTwinResponse *ben = second ? twind_finish(second, &error) : NULL;
 *
 * twin_service.h, session_service.h, admin_service.h and health.h declare typed functions for each method: twind_get_twin calls
 * twind_invoke, twind_start_get_twin calls twind_start. All of them are thread-safe.
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

/* Options of one call. A field that is zero has its default; NULL instead of a pointer to options means all defaults.
 * */
typedef struct twind_call_options {
  int64_t timeout_micros; /* default: the client's call timeout; negative: fail with DEADLINE_EXCEEDED at once */
  const twind_metadata *metadata;
  size_t n_metadata; /* at most 16 pairs and 4 KiB in total, including the agent */
  bool corked;       /* twind_start only: buffer the request until a later request or wait sends it */
  const char *agent; /* the caller's name; default: the client's agent */
} twind_call_options;

#define TWIND_CALL_OPTIONS_INIT {0, NULL, 0, false, NULL}

/* Sends a request and waits for the reply. Returns a message of the method's response type, which the caller releases
 * with twind_free, or NULL with `error` set. The timeout covers everything, including a reconnect.
 *
 * UNAVAILABLE means that the connection broke. The message says whether the request may have taken effect. A write
 * with an idempotency key can safely be repeated. */
TWIND_API void *twind_invoke(twind_client *client, const twind_method *method, const ProtobufCMessage *request,
                             const twind_call_options *options, twind_error *error);

/* Sends a request without waiting for the reply. Returns the call, or NULL with `error` set. End each call with
 * twind_finish or twind_cancel; until then, use it from one thread at a time.
 *
 * To pipeline, start n calls and then finish them in the same order. If all but the last are `corked`, they are sent
 * with a single write. At most 128 calls can be open on a client; starting another one first waits for a reply.
 *
 * In a child of fork(), twind_finish fails with FAILED_PRECONDITION for a call that the parent started. Finishing or
 * cancelling it there does not affect the parent. */
TWIND_API twind_call *twind_start(twind_client *client, const twind_method *method, const ProtobufCMessage *request,
                                  const twind_call_options *options, twind_error *error);

/* Waits for the reply and returns it as twind_invoke does. Always releases the call. */
TWIND_API void *twind_finish(twind_call *call, twind_error *error);

/* Cancels the call at the daemon and releases it. Does nothing if `call` is NULL. */
TWIND_API void twind_cancel(twind_call *call);

#ifdef __cplusplus
}
#endif
#endif
