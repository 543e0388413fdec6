// Runs checks; see check.h.
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct run {
  const struct check_entry *entry;
  struct check check;
  pthread_mutex_t lock;
  pthread_cond_t done;
  bool is_over, holds;
};

bool check_failed(struct check *check, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(check->why, sizeof check->why, format, arguments);
  va_end(arguments);
  return false;
}

bool check_code(struct check *check, struct reply reply, int code, const char *what) {
  bool same = reply.code == code;
  if (!same) check_failed(check, "%s: code %d \"%s\", not %d", what, reply.code, reply.message, code);
  reply_clear(&reply);
  return same;
}

static void *run_check(void *context) {
  struct run *run = context;
  bool holds = run->entry->run(&run->check);
  client_close(run->check.client);
  pthread_mutex_lock(&run->lock);
  run->is_over = true;
  run->holds = holds;
  pthread_cond_signal(&run->done);
  pthread_mutex_unlock(&run->lock);
  return NULL;
}

// Whether it came to an end within its limit.
static bool ends(struct run *run) {
  struct timespec limit;
  clock_gettime(CLOCK_REALTIME, &limit);
  limit.tv_sec += run->entry->limit_seconds;
  pthread_t thread;
  if (pthread_create(&thread, NULL, run_check, run) != 0) abort();
  pthread_mutex_lock(&run->lock);
  while (!run->is_over && pthread_cond_timedwait(&run->done, &run->lock, &limit) != ETIMEDOUT) continue;
  bool is_over = run->is_over;
  pthread_mutex_unlock(&run->lock);
  if (is_over) {
    pthread_join(thread, NULL);
  } else {
    pthread_detach(thread);
  }
  return is_over;
}

static void report(const char *name, bool holds, const char *why) {
  if (holds) {
    printf("ok    %s\n", name);
  } else {
    printf("FAIL  %s: %s\n", name, why);
  }
  fflush(stdout);
}

bool check_holds(const struct check_entry *entry, const char *socket_path) {
  struct client *client = client_connect(socket_path, NULL);
  if (!client) {
    report(entry->name, false, strerror(errno));
    return false;
  }
  struct run *run = calloc(1, sizeof *run);
  if (!run) abort();
  run->entry = entry;
  run->check = (struct check){.socket_path = socket_path, .client = client};
  pthread_mutex_init(&run->lock, NULL);
  pthread_cond_init(&run->done, NULL);
  if (!ends(run)) {
    char threads[400], why[512];
    client_describe(client, threads, sizeof threads);
    snprintf(why, sizeof why, "no result within %d s: %s", entry->limit_seconds, threads);
    report(entry->name, false, why);
    return false;
  }
  bool holds = run->holds;
  report(entry->name, holds, run->check.why);
  free(run);
  return holds;
}
