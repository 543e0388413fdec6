/* Busy polling: who spins, for how long, and when it is not worth it. That calls end as they do without is tested by
 * the tests of pipelines, reconnecting and threads, which run with polling clients too. */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "client.h"
#include "fake_server.h"

enum { FOREVER = 60 * 1000 * 1000 }; /* a limit that no call here reaches */

static twind_client *polling(const struct fake_server *server, int64_t micros) {
  twind_error error;
  twind_client *client = twind_connect(fake_server_path(server), &(twind_options){.busy_poll_micros = micros}, &error);
  CHECK(client);
  return client;
}

/* Processor time of this thread, in microseconds. */
static int64_t cpu_micros(void) {
  struct timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

/* How often this thread has gone to sleep. */
static long sleeps(void) {
  struct rusage usage;
  CHECK(getrusage(RUSAGE_THREAD, &usage) == 0);
  return usage.ru_nvcsw;
}

static void get_twins(twind_client *client, int count) {
  twind_error error;
  for (int i = 0; i < count; i++) {
    Twind__V1__GetTwinResponse *reply = get_twin(client, "acme/customer/1", &error);
    CHECK(reply);
    twind_free(reply);
  }
}

/* Answers after 3 ms. */
static void serve_slowly(int fd, void *context) {
  (void)context;
  struct received frame;
  while (receive(fd, &frame)) {
    usleep(3000);
    if (frame.type == FRAME_REQUEST) send_twin(fd, &frame);
    received_free(&frame);
  }
}

static void serve_silence(int fd, void *cancels) {
  struct received frame;
  while (receive(fd, &frame)) {
    if (frame.type == FRAME_CANCEL) atomic_fetch_add((atomic_int *)cancels, 1);
    received_free(&frame);
  }
}

static void a_polling_thread_does_not_sleep(void) {
  struct fake_server *server = fake_server_start(serve_slowly, NULL);
  twind_client *client = polling(server, FOREVER);
  atomic_store(&client->channel->kicked, true); /* as an earlier turn may leave it */
  long before = sleeps();
  get_twins(client, 40);
  CHECK(sleeps() - before < 20);
  twind_close(client);
  fake_server_stop(server);
}

static void by_default_a_waiting_thread_sleeps(void) {
  struct fake_server *server = fake_server_start(serve_slowly, NULL);
  twind_error error;
  twind_client *client = twind_connect(fake_server_path(server), NULL, &error);
  CHECK(client);
  int64_t before = cpu_micros();
  get_twins(client, 40);
  CHECK(cpu_micros() - before < 40 * 1500);
  twind_close(client);
  fake_server_stop(server);
}

/* A limit of 1 ms: the rest of the 200 ms is slept. */
static void a_wait_in_vain_ends_in_sleep(void) {
  atomic_int cancels = 0;
  struct fake_server *server = fake_server_start(serve_silence, &cancels);
  twind_client *client = polling(server, 1000);
  Twind__V1__GetTwinRequest request = get_request("acme/customer/1");
  int64_t before = cpu_micros();
  CHECK(!twind_get_twin(client, &request, &(twind_call_options){.timeout_micros = 200000}, NULL));
  CHECK(cpu_micros() - before < 50000);
  CHECK_EQUAL(client->channel->vain_waits, 1);
  twind_close(client);
  fake_server_stop(server);
}

static void the_deadline_holds_while_polling(void) {
  atomic_int cancels = 0;
  struct fake_server *server = fake_server_start(serve_silence, &cancels);
  twind_client *client = polling(server, FOREVER);
  Twind__V1__GetTwinRequest request = get_request("acme/customer/1");
  twind_error error;
  long slept = sleeps();
  int64_t before = micros_now();
  CHECK(!twind_get_twin(client, &request, &(twind_call_options){.timeout_micros = 50000}, &error));
  int64_t took = micros_now() - before;
  CHECK_ERROR(error, TWIND_DEADLINE_EXCEEDED, "GetTwin took longer than its timeout of 50.000 ms");
  CHECK(took >= 50000 && took < 5000000);
  CHECK(sleeps() - slept < 5);
  twind_cancel(twind_start_get_twin(client, &request, NULL, &error));
  while (atomic_load(&cancels) < 2 && micros_now() - before < 10000000) usleep(100);
  CHECK_EQUAL(atomic_load(&cancels), 2);
  twind_close(client);
  fake_server_stop(server);
}

/* 100 calls of 3 ms with a limit of 2 ms: 8 waits and then one of 64 are polled, not all of them. */
static void a_slow_daemon_is_not_polled_for(void) {
  struct fake_server *server = fake_server_start(serve_slowly, NULL);
  twind_client *client = polling(server, 2000);
  int64_t before = cpu_micros();
  get_twins(client, 100);
  CHECK(cpu_micros() - before < 100 * 2000 / 2);
  /* On a busy machine a reply may be there when a poll ends: then the count begins again. */
  for (int i = 0; i < 10 && client->channel->vain_waits < 64; i++) get_twins(client, 100);
  CHECK(client->channel->vain_waits >= 64);
  twind_close(client);
  fake_server_stop(server);
}

static void a_daemon_that_is_fast_again_is_polled_for(void) {
  struct fake_server *server = fake_server_start(serve_twins, NULL);
  twind_client *client = polling(server, FOREVER);
  client->channel->vain_waits = 8;
  get_twins(client, 2);
  CHECK_EQUAL(client->channel->vain_waits, 10);
  get_twins(client, 55); /* the last of which polls */
  CHECK_EQUAL(client->channel->vain_waits, 0);
  twind_close(client);
  fake_server_stop(server);
}

static void a_watch_sleeps(void) {
  atomic_int cancels = 0;
  struct fake_server *server = fake_server_start(serve_silence, &cancels);
  twind_client *client = polling(server, FOREVER);
  Twind__V1__WatchTwinsRequest request = TWIND__V1__WATCH_TWINS_REQUEST__INIT;
  twind_error error;
  twind_watch *watch = twind_watch_twins(client, &request, NULL, &error);
  CHECK(watch);
  int64_t before = cpu_micros();
  CHECK(!twind_watch_wait(watch, 200000, &error));
  CHECK(cpu_micros() - before < 50000);
  twind_watch_close(watch);
  twind_close(client);
  fake_server_stop(server);
}

/* A limit that is no time, or more than there is. */
static void any_limit_is_taken(void) {
  struct fake_server *server = fake_server_start(serve_twins, NULL);
  int64_t limits[] = {INT64_MIN, -1, 1, INT64_MAX};
  for (int i = 0; i < 4; i++) {
    twind_client *client = polling(server, limits[i]);
    get_twins(client, 20);
    twind_close(client);
  }
  fake_server_stop(server);
}

int main(void) {
  RUN(a_polling_thread_does_not_sleep);
  RUN(by_default_a_waiting_thread_sleeps);
  RUN(a_wait_in_vain_ends_in_sleep);
  RUN(the_deadline_holds_while_polling);
  RUN(a_slow_daemon_is_not_polled_for);
  RUN(a_daemon_that_is_fast_again_is_polled_for);
  RUN(a_watch_sleeps);
  RUN(any_limit_is_taken);
}
