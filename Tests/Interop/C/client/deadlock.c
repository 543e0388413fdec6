// The deadlock that version 0.1 of twind had with ttrpc-go 1.2.0 to 1.2.3.
//
// On one connection 16 threads ask for 1.9 MiB each while 16 others write 60 KiB each. Soon one of them waits for the
// socket with the locks held, and nothing that the server has sent is received any more. A server that reads on only
// when its replies have been read then waits for the client as the client waits for it. The check looks on as long as
// calls end, and says so when none has for a while.
#include "deadlock.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "twins.h"

enum {
  READERS = 16,
  WRITERS = 16,
  CALLS = 30,
  ALL_CALLS = (READERS + WRITERS) * CALLS,
  TWINS = 32,
  NOTE_BYTES = 60 << 10,
  STALL_SECONDS = 15,
};

struct contest {
  struct client *client;
  char *names[TWINS];
  pthread_mutex_t lock;
  pthread_cond_t news;
  int ended, succeeded, threads;
  char first_failure[600];
};

static char *name_of(const char *kind, int number) {
  char *name = malloc(64);
  if (!name) abort();
  snprintf(name, 64, "peer/%s/%d", kind, number);
  return name;
}

static void note_end(struct contest *contest, const char *what, const struct reply *reply, bool succeeded) {
  pthread_mutex_lock(&contest->lock);
  contest->ended++;
  if (succeeded) contest->succeeded++;
  if (!succeeded && !contest->first_failure[0]) {
    snprintf(contest->first_failure, sizeof contest->first_failure, "%s: " REPLY_FORMAT, what,
             REPLY_ARGUMENTS(*reply));
  }
  pthread_cond_signal(&contest->news);
  pthread_mutex_unlock(&contest->lock);
}

static void leave(struct contest *contest) {
  pthread_mutex_lock(&contest->lock);
  contest->threads--;
  pthread_cond_signal(&contest->news);
  pthread_mutex_unlock(&contest->lock);
}

static void *read_twins(void *context) {
  struct contest *contest = context;
  for (int i = 0; i < CALLS && !client_has_ended(contest->client); i++) {
    struct reply reply = twins_read(contest->client, contest->names, TWINS);
    bool succeeded = reply.code == CALL_OK && twins_of_size(&reply, NOTE_BYTES) == TWINS;
    note_end(contest, "BatchGetTwins", &reply, succeeded);
    reply_clear(&reply);
  }
  leave(contest);
  return NULL;
}

struct writer {
  struct contest *contest;
  char *name;
};

static void *write_twin(void *context) {
  struct writer *writer = context;
  struct contest *contest = writer->contest;
  for (int i = 0; i < CALLS && !client_has_ended(contest->client); i++) {
    struct reply reply = twin_write(contest->client, writer->name, NOTE_BYTES, (char)('a' + i % 26));
    note_end(contest, "UpdateTwin", &reply, reply.code == CALL_OK);
    reply_clear(&reply);
  }
  leave(contest);
  return NULL;
}

// Waits until all threads have left. False when no call has ended for STALL_SECONDS.
static bool goes_on_to_the_end(struct contest *contest) {
  bool stalled = false;
  pthread_mutex_lock(&contest->lock);
  while (contest->threads > 0 && !stalled) {
    int ended = contest->ended;
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += STALL_SECONDS;
    while (contest->threads > 0 && contest->ended == ended && !stalled) {
      stalled = pthread_cond_timedwait(&contest->news, &contest->lock, &end) == ETIMEDOUT;
    }
    stalled = stalled && contest->ended == ended && contest->threads > 0;
  }
  pthread_mutex_unlock(&contest->lock);
  return !stalled;
}

static bool contest(struct check *check, struct contest *contest) {
  pthread_t threads[READERS + WRITERS];
  struct writer writers[WRITERS];
  contest->threads = READERS + WRITERS;
  for (int i = 0; i < WRITERS; i++) writers[i] = (struct writer){contest, name_of("writer", i)};
  for (int i = 0; i < READERS; i++) {
    if (pthread_create(&threads[2 * i], NULL, read_twins, contest) != 0) abort();
    if (pthread_create(&threads[2 * i + 1], NULL, write_twin, &writers[i]) != 0) abort();
  }
  bool went_on = goes_on_to_the_end(contest);
  if (!went_on) {
    char text[512];
    client_describe(contest->client, text, sizeof text);
    check_failed(check, "deadlock: %d of %d calls ended, then none for %d s: %s", contest->ended, ALL_CALLS,
                 STALL_SECONDS, text);
    client_abort(contest->client);
  }
  for (int i = 0; i < READERS + WRITERS; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < WRITERS; i++) free(writers[i].name);
  if (!went_on) return false;
  REQUIRE(check, contest->succeeded == ALL_CALLS, "%d of %d calls succeeded; the first that did not: %s",
          contest->succeeded, ALL_CALLS, contest->first_failure);
  return true;
}

static bool holds(struct check *check, bool one_lock) {
  struct contest all = {.lock = PTHREAD_MUTEX_INITIALIZER, .news = PTHREAD_COND_INITIALIZER};
  bool holds = true;
  for (int i = 0; i < TWINS; i++) {
    all.names[i] = name_of("customer", i);
    struct reply reply = twin_write(check->client, all.names[i], NOTE_BYTES, 'x');
    if (reply.code != CALL_OK) holds = check_failed(check, "UpdateTwin: " REPLY_FORMAT, REPLY_ARGUMENTS(reply));
    reply_clear(&reply);
  }
  all.client = client_connect(check->socket_path, &(struct client_options){.one_lock = one_lock});
  if (!all.client) holds = check_failed(check, "cannot connect");
  holds = holds && contest(check, &all);
  if (all.client) client_close(all.client);
  for (int i = 0; i < TWINS; i++) free(all.names[i]);
  return holds;
}

bool check_no_deadlock(struct check *check) { return holds(check, false); }

bool check_no_deadlock_with_one_lock(struct check *check) { return holds(check, true); }
