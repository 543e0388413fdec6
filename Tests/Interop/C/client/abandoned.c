// The checks that abandoned.h describes.
#include "abandoned.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "twins.h"

enum {
  STREAMS = 128,  // streamsPerConnectionMax
  READS = 100,
  WRITES = 20,
};

static bool read_often(struct check *check, struct client *client, const char *name) {
  for (int i = 0; i < READS; i++) REQUIRE_CODE(check, twin_read(client, name, ANSWER_MILLIS), CALL_OK);
  return true;
}

bool check_abandoned_watches(struct check *check) {
  const char *name = "peer/abandoned/1";
  REQUIRE_CODE(check, twin_write(check->client, name, 10, 'a'), CALL_OK);
  // Each receives the snapshot, which nobody takes.
  for (int i = 0; i < STREAMS; i++) {
    REQUIRE(check, twin_watch(check->client, name), "the connection has ended");
    REQUIRE_CODE(check, twin_read(check->client, name, ANSWER_MILLIS), CALL_OK);
  }
  struct stream *one_more = twin_watch(check->client, name);
  REQUIRE(check, one_more, "the connection has ended");
  REQUIRE_CODE(check, stream_receive(one_more, ANSWER_MILLIS), CALL_RESOURCE_EXHAUSTED);
  return read_often(check, check->client, name);
}

// Takes what a watch receives, as `for stream.RecvMsg(m) == nil {}` does in a goroutine.
struct drain {
  struct stream *stream;
  pthread_t thread;
  int changes;  // After the snapshot.
};

static void *drain(void *context) {
  struct drain *drain = context;
  drain->changes = -1;
  for (;;) {
    struct reply reply = stream_receive(drain->stream, ANSWER_MILLIS);
    bool is_message = reply.code == CALL_OK;
    reply_clear(&reply);
    if (!is_message) return NULL;
    if (++drain->changes == WRITES) return NULL;
  }
}

bool check_drained_watches(struct check *check) {
  const char *name = "peer/abandoned/2";
  struct drain drains[STREAMS];
  bool holds = check_code(check, twin_write(check->client, name, 10, 'a'), CALL_OK, "the first write");
  int begun = 0;
  for (; holds && begun < STREAMS; begun++) {
    drains[begun].stream = twin_watch(check->client, name);
    if (!drains[begun].stream) {
      holds = check_failed(check, "the connection has ended");
      break;
    }
    if (pthread_create(&drains[begun].thread, NULL, drain, &drains[begun]) != 0) abort();
  }
  // Watches that begin after a write have it in their snapshot: only once all are there do the writes count.
  holds = holds && read_often(check, check->client, name);
  for (int i = 0; holds && i < WRITES; i++) {
    holds = check_code(check, twin_write(check->client, name, 10, (char)('b' + i)), CALL_OK, "a write");
  }
  int missing = 0;
  for (int i = 0; i < begun; i++) {
    pthread_join(drains[i].thread, NULL);
    if (drains[i].changes < WRITES) missing++;
  }
  if (!holds) return false;
  REQUIRE(check, missing == 0, "%d of %d watches did not receive all %d changes", missing, STREAMS, WRITES);
  return true;
}

static bool gets_stuck(struct client *client) {
  for (int i = 0; i < 1000 && !client_is_stuck(client); i++) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  return client_is_stuck(client);
}

bool check_unread_watches(struct check *check) {
  const char *name = "peer/abandoned/3";
  REQUIRE_CODE(check, twin_write(check->client, name, 10, 'a'), CALL_OK);
  struct client *stuck = client_connect(check->socket_path, NULL);
  REQUIRE(check, stuck, "cannot connect");
  struct stream *watch = twin_watch(stuck, name);
  bool holds = watch || check_failed(check, "the connection has ended");
  holds = holds && check_code(check, twin_read(stuck, name, ANSWER_MILLIS), CALL_OK, "a read with one message unread");
  holds = holds && check_code(check, twin_write(check->client, name, 10, 'b'), CALL_OK, "another's write");
  if (holds && !gets_stuck(stuck)) holds = check_failed(check, "the change did not arrive");
  // The second message waits for the first to be taken, and this reply waits behind it. Nothing here is the server's
  // doing: all that it can do is to serve the others.
  holds = holds && check_code(check, twin_read(stuck, name, 500), CALL_TIMED_OUT, "a read with two messages unread");
  holds = holds && read_often(check, check->client, name);
  for (int i = 0; holds && i < 2; i++) {
    holds = check_code(check, stream_receive(watch, ANSWER_MILLIS), CALL_OK, "an unread message");
  }
  holds = holds && read_often(check, stuck, name);
  client_close(stuck);
  return holds;
}
