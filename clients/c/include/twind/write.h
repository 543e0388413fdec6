/* Writing a twin.
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
 *
 * Who writes is the `agent` of the client's options, or of the call's.
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
  TWIND_INCREMENT, /* adds an int or a double; an absent attribute counts as 0 */
  TWIND_REMOVE
} twind_operation;

/* The confidence of a change that states none. */
#define TWIND_NOT_STATED (-1.0)

/* One change of one attribute: made by one of the three functions below, then completed as needed. */
typedef struct twind_change {
  const char *attribute;
  twind_operation operation;
  Twind__V1__Value value; /* to be set or added */
  int64_t valid_from;     /* when it begins to hold, in microseconds since the epoch; 0 = with the commit */
  int64_t valid_to;       /* when it ends; 0 = open */
  double confidence;      /* how sure you are: above 0, at most 1, or TWIND_NOT_STATED */
  const char *evidence;   /* what it is based on, for example "ticket:4711", at most 128 bytes; NULL = not stated */
} twind_change;

TWIND_API twind_change twind_set(const char *attribute, Twind__V1__Value value);
TWIND_API twind_change twind_increment(const char *attribute, Twind__V1__Value amount);
TWIND_API twind_change twind_remove(const char *attribute);

typedef enum twind_precondition {
  TWIND_ALWAYS,      /* whatever the twin is now */
  TWIND_IF_REVISION, /* else ABORTED: nobody has written since `expected_revision`; 0 = it must never have existed */
  TWIND_IF_ABSENT    /* else ALREADY_EXISTS */
} twind_precondition;

/* Changes to one twin, made together or not at all. Zero in a field = its default. */
typedef struct twind_write {
  const char *name; /* space/kind/id */
  const twind_change *changes;
  size_t n_changes;
  twind_precondition precondition;
  uint64_t expected_revision;   /* with TWIND_IF_REVISION only */
  const char *idempotency_key;  /* the same write under the same key is done once; NULL = none */
  const char *purpose;          /* what the data is for; NULL = not stated */
  Twind__V1__Durability durability; /* what it must survive before the reply; default: the daemon's */
} twind_write;

#define TWIND_WRITE_INIT \
  {NULL, NULL, 0, TWIND_ALWAYS, 0, NULL, NULL, TWIND__V1__DURABILITY__DURABILITY_UNSPECIFIED}

/* Writes and waits; creates the twin when it does not exist. Release the reply with twind_free. NULL with `error`:
 * INVALID_ARGUMENT names what is wrong with the write, and nothing was sent. */
TWIND_API Twind__V1__UpdateTwinResponse *twind_update(twind_client *client, const twind_write *write,
                                                      const twind_call_options *options, twind_error *error);

/* The same as a request for twind_start_update_twin, or as a part of one for twind_batch_update_twins. Release it with
 * twind_free, at the earliest once the call has been started. No text is copied. NULL with `error`. */
TWIND_API Twind__V1__UpdateTwinRequest *twind_update_request(const twind_write *write, twind_error *error);

#ifdef __cplusplus
}
#endif
#endif
