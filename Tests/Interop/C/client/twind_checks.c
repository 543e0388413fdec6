// The checks of twind: how its streams begin and end, watches left behind, the deadlock, and what ends a connection.
#include <stdlib.h>
#include <string.h>

#include "abandoned.h"
#include "check.h"
#include "deadlock.h"
#include "../frame.h"
#include "refusals.h"
#include "twins.h"

static bool watch(struct check *check) {
  const char *name = "peer/watched/1";
  REQUIRE_CODE(check, twin_write(check->client, name, 10, 'a'), CALL_OK);
  struct stream *watch = twin_watch(check->client, name);
  REQUIRE(check, watch, "the connection has ended");
  REQUIRE_CODE(check, stream_receive(watch, ANSWER_MILLIS), CALL_OK);
  for (int i = 0; i < 20; i++) {
    REQUIRE_CODE(check, twin_write(check->client, name, 10, (char)('b' + i)), CALL_OK);
    struct reply reply = stream_receive(watch, ANSWER_MILLIS);
    REQUIRE(check, reply.code == CALL_OK && reply.type == FRAME_DATA && reply.flags == 0,
            "change %d: type %u, flags %u, " REPLY_FORMAT, i, reply.type, reply.flags, REPLY_ARGUMENTS(reply));
    reply_clear(&reply);
  }
  return true;
}

static bool facts(struct check *check) {
  const char *name = "peer/history/1";
  REQUIRE_CODE(check, twin_write(check->client, name, 10, 'a'), CALL_OK);
  struct stream *list = twin_facts(check->client, name);
  REQUIRE(check, list, "the connection has ended");
  struct reply reply;
  int parts = 0;
  for (; (reply = stream_receive(list, ANSWER_MILLIS)).code == CALL_OK; parts++) reply_clear(&reply);
  REQUIRE(check, parts > 0 && reply.code == CALL_END && reply.flags == (REMOTE_CLOSED | NO_DATA),
          "after %d parts: flags %u, " REPLY_FORMAT, parts, reply.flags, REPLY_ARGUMENTS(reply));
  struct stream *missing = twin_facts(check->client, "peer/history/missing");
  REQUIRE(check, missing, "the connection has ended");
  REQUIRE_CODE(check, stream_receive(missing, ANSWER_MILLIS), CALL_NOT_FOUND);
  return true;
}

// MARK: What ends a connection

// `slow` waits for a sequence that is never reached; twind gives that up after a second.
static bool with_calls(struct check *check, bool (*holds)(struct check *, const struct refusal_calls *)) {
  const char *name = "peer/refused/1";
  REQUIRE_CODE(check, twin_write(check->client, name, 10, 'a'), CALL_OK);
  Twind__V1__GetTwinRequest quick, slow, large;
  struct refusal_calls calls = {
      .quick = twin_read_call(&quick, name),
      .slow = twin_read_call(&slow, name),
      .slow_code = CALL_OUT_OF_RANGE,
      .large = twin_read_call(&large, name),
  };
  slow.min_sequence = UINT64_MAX / 2;
  calls.quick.timeout_millis = calls.slow.timeout_millis = calls.large.timeout_millis = ANSWER_MILLIS;
  large.purpose = calloc(1, FRAME_BYTES_MAX + 1);
  if (!large.purpose) abort();
  memset(large.purpose, 'p', FRAME_BYTES_MAX);
  bool result = holds(check, &calls);
  free(large.purpose);
  return result;
}

static bool ids_used_up(struct check *check) { return with_calls(check, check_ids_used_up); }

static bool oversized(struct check *check) { return with_calls(check, check_oversized); }

const struct check_entry twind_checks[] = {
    {"a watch: the snapshot, then each change", watch, 30},
    {"a history: its parts, then remote closed | no data; an error for none", facts, 30},
    {"128 watches left behind: reads are answered, one more watch is refused", check_abandoned_watches, 60},
    {"128 watches left behind and drained: writes are answered too", check_drained_watches, 60},
    {"a watch that nobody reads stops its own connection only", check_unread_watches, 60},
    {"used-up ids: UNAVAILABLE, calls under way end, a new connection works", ids_used_up, 30},
    {"an oversized request: the reason arrives, calls under way end", oversized, 30},
    {"no deadlock: 960 calls of 32 threads, with the locks of ttrpc-go 1.2.3", check_no_deadlock, 300},
    {"no deadlock: the same with a single lock", check_no_deadlock_with_one_lock, 300},
    {0},
};
