/* Writing twins.
 *
 *     twind_change changes[] = {
 *         twind_set("mood", twind_string_value("calm")),
 *         twind_increment("orders", twind_int_value(1)),
 *         twind_remove("nickname"),
 *     };
 *     changes[0].confidence = 0.9;
 *     changes[0].evidence = "ticket:4711";
 *
 *     twind_write write = TWIND_WRITE_INIT;
 *     write.name = "acme/customer/42";
 *     write.changes = changes;
 *     write.n_changes = 3;
 *     Twind__V1__UpdateTwinResponse *updated = twind_update(client, &write, NULL, &error);
 *     twind_free(updated);
 *
 * The writer's name is the `agent` in the options of the call or of the client. Strings are never copied and must stay
 * valid until the function returns. Times are microseconds since the Unix epoch.
 */
#ifndef TWIND_WRITE_H
#define TWIND_WRITE_H

#include <twind/call.h>
#include <twind/value.h>
#include <twind/v1/twin_service.pb-c.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum twind_operation {
  TWIND_SET = 1,
  TWIND_INCREMENT, /* adds an int or a double; a missing attribute counts as 0 */
  TWIND_REMOVE
} twind_operation;

/* The confidence is not stated. */
#define TWIND_NOT_STATED (-1.0)

/* A change of one attribute. Make it with twind_set, twind_increment or twind_remove, then set other fields as needed.
 * */
typedef struct twind_change {
  const char *attribute;
  twind_operation operation;
  Twind__V1__Value value; /* the value to set or to add */
  int64_t valid_from;     /* when it begins to hold; 0: at the time of the commit */
  int64_t valid_to;       /* when it ceases to hold; 0: never */
  double confidence;      /* how sure you are: above 0, at most 1, or TWIND_NOT_STATED */
  const char *evidence;   /* its source, for example "ticket:4711", at most 128 bytes; NULL: not stated */
} twind_change;

TWIND_API twind_change twind_set(const char *attribute, Twind__V1__Value value);
TWIND_API twind_change twind_increment(const char *attribute, Twind__V1__Value amount);
TWIND_API twind_change twind_remove(const char *attribute);

typedef enum twind_precondition {
  TWIND_ALWAYS,      /* write unconditionally */
  TWIND_IF_REVISION, /* fail with ABORTED unless the twin's revision is `expected_revision`; 0: it never existed */
  TWIND_IF_ABSENT    /* fail with ALREADY_EXISTS if the twin exists */
} twind_precondition;

/* An atomic write to one twin: all changes are made, or none. A field that is zero has its default. */
typedef struct twind_write {
  const char *name; /* space/kind/id */
  const twind_change *changes;
  size_t n_changes;
  twind_precondition precondition;
  uint64_t expected_revision;   /* only with TWIND_IF_REVISION */
  const char *idempotency_key;  /* a write that is repeated with the same key takes effect once; NULL: no key */
  const char *purpose;          /* what the data is for; NULL: not stated */
  Twind__V1__Durability durability; /* what the write must survive before the reply; default: the daemon's setting */
} twind_write;

#define TWIND_WRITE_INIT \
  {NULL, NULL, 0, TWIND_ALWAYS, 0, NULL, NULL, TWIND__V1__DURABILITY__DURABILITY_UNSPECIFIED}

/* Writes to a twin, which is created if it does not exist, and waits for the reply. Release the reply with twind_free.
 * On failure returns NULL with `error` set. A malformed write is not sent: the error is INVALID_ARGUMENT, and its
 * message names the field. */
TWIND_API Twind__V1__UpdateTwinResponse *twind_update(twind_client *client, const twind_write *write,
                                                      const twind_call_options *options, twind_error *error);

/* Makes the request that twind_update sends, for twind_start_update_twin or as part of a twind_batch_update_twins
 * request. Release it with twind_free; it need not outlive the function that starts the call. It refers to the strings
 * of the write, which must stay valid as long. Returns NULL with `error` set if the write is malformed. */
TWIND_API Twind__V1__UpdateTwinRequest *twind_update_request(const twind_write *write, twind_error *error);

#ifdef __cplusplus
}
#endif
#endif
