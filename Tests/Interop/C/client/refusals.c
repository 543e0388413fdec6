// The checks that refusals.h describes.
#include "refusals.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// The last two ids that a client has, 2^32 - 3 and 2^32 - 1. ttrpc-go goes on with 1.
enum { LAST_BUT_ONE = UINT32_MAX - 2 };

static void sleep_millis(long millis) {
  nanosleep(&(struct timespec){.tv_sec = millis / 1000, .tv_nsec = millis % 1000 * 1000000L}, NULL);
}

// A call made from a thread of its own.
struct beside {
  struct client *client;
  struct call call;
  struct reply reply;
  pthread_t thread;
};

static void *make_call(void *context) {
  struct beside *beside = context;
  beside->reply = client_call(beside->client, &beside->call);
  return NULL;
}

static void begin(struct beside *beside, struct client *client, struct call call) {
  *beside = (struct beside){.client = client, .call = call};
  if (pthread_create(&beside->thread, NULL, make_call, beside) != 0) abort();
  sleep_millis(100);  // It is under way then.
}

static struct reply end(struct beside *beside) {
  pthread_join(beside->thread, NULL);
  return beside->reply;
}

static bool ends_soon(struct client *client) {
  for (int i = 0; i < 500 && !client_has_ended(client); i++) sleep_millis(10);
  return client_has_ended(client);
}

// MARK: Ids

static bool used_up(struct check *check, struct client *client, const struct refusal_calls *calls) {
  struct beside beside;
  begin(&beside, client, calls->slow);
  struct reply last = client_call(client, &calls->quick), wrapped = client_call(client, &calls->quick);
  struct reply slow = end(&beside);
  REQUIRE_CODE(check, last, CALL_OK);
  REQUIRE(check, strstr(wrapped.message, "connect again"), "code %d \"%s\", which does not say what to do",
          wrapped.code, wrapped.message);
  REQUIRE_CODE(check, wrapped, CALL_UNAVAILABLE);
  REQUIRE_CODE(check, slow, calls->slow_code);
  REQUIRE(check, ends_soon(client), "the connection goes on");
  return true;
}

bool check_ids_used_up(struct check *check, const struct refusal_calls *calls) {
  struct client_options options = {.first_stream = LAST_BUT_ONE};
  struct client *client = client_connect(check->socket_path, &options);
  REQUIRE(check, client, "cannot connect");
  bool holds = used_up(check, client, calls);
  client_close(client);
  if (!holds) return false;
  client = client_connect(check->socket_path, NULL);
  REQUIRE(check, client, "cannot connect again");
  struct reply reply = client_call(client, &calls->quick);
  client_close(client);
  REQUIRE_CODE(check, reply, CALL_OK);
  return true;
}

// MARK: Sizes

static bool too_large(struct check *check, struct client *client, const struct refusal_calls *calls) {
  struct beside beside;
  begin(&beside, client, calls->slow);
  struct reply large = client_call(client, &calls->large), slow = end(&beside);
  REQUIRE_CODE(check, large, CALL_RESOURCE_EXHAUSTED);
  REQUIRE_CODE(check, slow, calls->slow_code);
  REQUIRE(check, ends_soon(client), "the connection goes on");
  return true;
}

// Without a call under way the server has no more to say. If it closed its side at once, ttrpc-go 1.2.3 would end the
// connection in the middle of its own write, and say ErrClosed instead of the reason that it has received.
static bool too_large_alone(struct check *check, struct client *client, const struct refusal_calls *calls) {
  struct reply large = client_call(client, &calls->large);
  REQUIRE_CODE(check, large, CALL_RESOURCE_EXHAUSTED);
  reply_clear(&large);
  REQUIRE(check, ends_soon(client), "the connection goes on");
  return true;
}

bool check_oversized(struct check *check, const struct refusal_calls *calls) {
  for (int variant = 0; variant < 4; variant++) {
    bool one_lock = variant & 1, alone = variant & 2;
    struct client *client = client_connect(check->socket_path, &(struct client_options){.one_lock = one_lock});
    REQUIRE(check, client, "cannot connect");
    bool holds = alone ? too_large_alone(check, client, calls) : too_large(check, client, calls);
    client_close(client);
    if (!holds) return false;
  }
  struct reply reply = client_call(check->client, &calls->quick);
  REQUIRE_CODE(check, reply, CALL_OK);
  return true;
}
