/* Many threads on one client. Meant to run under ThreadSanitizer as well. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "fake_server.h"

enum { THREADS = 8, CALLS = 400, SHUFFLED = 5 };

/* Holds up to five requests back and answers them in another order; some not at all. */
static void serve_shuffled(int fd, void *context) {
  (void)context;
  struct received frames[SHUFFLED];
  int held = 0;
  unsigned seed = 1;
  struct received frame;
  while (receive(fd, &frame)) {
    if (frame.type != FRAME_REQUEST) {
      received_free(&frame);
      continue;
    }
    frames[held++] = frame;
    while (held == SHUFFLED || (held > 0 && rand_r(&seed) % 3 == 0)) {
      int chosen = rand_r(&seed) % held;
      const ProtobufCBinaryData *asked = &frames[chosen].request->payload;
      if (!memmem(asked->data, asked->len, "mute", 4)) send_twin(fd, &frames[chosen]);
      received_free(&frames[chosen]);
      frames[chosen] = frames[--held];
    }
  }
  while (held > 0) received_free(&frames[--held]);
}

struct worker {
  pthread_t thread;
  twind_client *client;
  int number, answered, late;
};

static void *call_all(void *argument) {
  struct worker *worker = argument;
  char name[48];
  for (int i = 0; i < CALLS; i++) {
    bool mute = i % 20 == 19;
    snprintf(name, sizeof name, "acme/customer/%d-%d%s", worker->number, i, mute ? "-mute" : "");
    Twind__V1__GetTwinRequest request = get_request(name);
    twind_call_options options = {.timeout_micros = mute ? 2000 : 20000};
    twind_error error;
    if (i % 50 == 7) {
      twind_call *given_up = twind_start_get_twin(worker->client, &request, &options, &error);
      CHECK(given_up || error.code == TWIND_DEADLINE_EXCEEDED);
      twind_cancel(given_up);
      continue;
    }
    /* The last requests stay held back by the server, hence a timeout is a legal end for each. */
    Twind__V1__GetTwinResponse *reply = twind_get_twin(worker->client, &request, &options, &error);
    if (reply) {
      CHECK_TEXT(reply->twin->name, name);
      CHECK(!mute);
      worker->answered++;
    } else {
      CHECK_ERROR(error, TWIND_DEADLINE_EXCEEDED, "GetTwin");
      worker->late++;
    }
    twind_free(reply);
  }
  return NULL;
}

static void run_workers(twind_client *client, struct worker workers[THREADS]) {
  for (int i = 0; i < THREADS; i++) {
    workers[i] = (struct worker){.client = client, .number = i};
    CHECK(pthread_create(&workers[i].thread, NULL, call_all, &workers[i]) == 0);
  }
}

static void every_thread_gets_its_own_replies(void) {
  struct fake_server *server = fake_server_start(serve_shuffled, NULL);
  twind_client *client = fake_server_client(server);
  struct worker workers[THREADS];
  run_workers(client, workers);
  int answered = 0, late = 0;
  for (int i = 0; i < THREADS; i++) {
    pthread_join(workers[i].thread, NULL);
    answered += workers[i].answered;
    late += workers[i].late;
  }
  printf("   %d answered, %d after their deadline\n", answered, late);
  CHECK_EQUAL(answered + late, THREADS * CALLS * 49 / 50);
  CHECK(late >= THREADS * CALLS / 20);
  CHECK(answered > THREADS * CALLS / 2);
  CHECK_EQUAL(fake_server_connections(server), 1);
  twind_close(client);
  fake_server_stop(server);
}

static void *call_until_told(void *argument) {
  struct worker *worker = argument;
  char name[48];
  snprintf(name, sizeof name, "acme/customer/%d", worker->number);
  for (int i = 0; i < 300; i++) {
    twind_error error;
    Twind__V1__GetTwinResponse *reply = get_twin(worker->client, name, &error);
    CHECK(reply || error.code == TWIND_UNAVAILABLE);
    if (reply) worker->answered++;
    twind_free(reply);
    if (!reply) usleep(1000);
  }
  return NULL;
}

/* The daemon dies and comes back under load: threads see UNAVAILABLE or a reply, and all find the new one. */
static void a_daemon_that_dies_is_found_again(void) {
  struct fake_server *server = fake_server_start(serve_twins, NULL);
  twind_error error;
  twind_client *client = fake_server_client(server);
  struct worker workers[THREADS];
  for (int i = 0; i < THREADS; i++) {
    workers[i] = (struct worker){.client = client, .number = i};
    CHECK(pthread_create(&workers[i].thread, NULL, call_until_told, &workers[i]) == 0);
  }
  for (int i = 0; i < 5; i++) {
    usleep(5000);
    fake_server_kill(server);
    fake_server_revive(server);
  }
  int answered = 0;
  for (int i = 0; i < THREADS; i++) {
    pthread_join(workers[i].thread, NULL);
    answered += workers[i].answered;
  }
  CHECK(answered > THREADS * 200);
  Twind__V1__GetTwinResponse *reply = get_twin(client, "acme/customer/1", &error);
  CHECK(reply);
  twind_free(reply);
  twind_close(client);
  fake_server_stop(server);
}

/* Large requests and replies from several threads: sockets fill up in both directions, and leaders change. */
static void *call_large(void *argument) {
  struct worker *worker = argument;
  size_t length = 150000;
  char *name = malloc(length + 1);
  memset(name, 'a' + worker->number, length);
  name[length] = 0;
  for (int i = 0; i < 20; i++) {
    twind_error error;
    Twind__V1__GetTwinResponse *reply = get_twin(worker->client, name, &error);
    CHECK(reply);
    twind_free(reply);
  }
  free(name);
  return NULL;
}

static void large_messages_pass_between_threads(void) {
  struct fake_server *server = fake_server_start(serve_twins, NULL);
  twind_client *client = fake_server_client(server);
  struct worker workers[THREADS];
  for (int i = 0; i < THREADS; i++) {
    workers[i] = (struct worker){.client = client, .number = i};
    CHECK(pthread_create(&workers[i].thread, NULL, call_large, &workers[i]) == 0);
  }
  for (int i = 0; i < THREADS; i++) pthread_join(workers[i].thread, NULL);
  CHECK_EQUAL(fake_server_connections(server), 1);
  twind_close(client);
  fake_server_stop(server);
}

struct duo {
  atomic_int received, followed; /* the follower has its reply */
  int64_t pause;                 /* before the second request is read */
  bool leader_first;
};

/* Takes two requests. Answers the leader's and, 50 ms later, the follower's; or the follower's and, once it has
 * arrived, the leader's. */
static void serve_duo(int fd, void *context) {
  struct duo *duo = context;
  struct received frames[2];
  for (int i = 0; i < 2; i++) {
    CHECK(receive(fd, &frames[i]));
    atomic_fetch_add(&duo->received, 1);
    if (i == 0) usleep((useconds_t)duo->pause);
  }
  send_twin(fd, &frames[duo->leader_first ? 0 : 1]);
  if (duo->leader_first) usleep(50000);
  while (!duo->leader_first && atomic_load(&duo->followed) == 0) usleep(1000);
  send_twin(fd, &frames[duo->leader_first ? 1 : 0]);
  for (int i = 0; i < 2; i++) received_free(&frames[i]);
  for (struct received frame; receive(fd, &frame);) received_free(&frame);
}

static void *call_once(void *client) {
  twind_error error;
  Twind__V1__GetTwinResponse *reply = get_twin(client, "acme/customer/leader", &error);
  CHECK(reply);
  twind_free(reply);
  return NULL;
}

/* A thread that leads and one that follows; the follower asks for `name`. */
static void lead_and_follow(struct duo *duo, const char *name) {
  struct fake_server *server = fake_server_start(serve_duo, duo);
  twind_error error;
  twind_client *client = fake_server_client(server);
  pthread_t leader;
  CHECK(pthread_create(&leader, NULL, call_once, client) == 0);
  while (atomic_load(&duo->received) < 1) usleep(1000);
  usleep(20000);
  Twind__V1__GetTwinRequest request = get_request(name);
  int64_t before = micros_now();
  Twind__V1__GetTwinResponse *reply =
      twind_get_twin(client, &request, &(twind_call_options){.timeout_micros = 10000000}, &error);
  CHECK_ERROR(error, TWIND_OK, "");
  CHECK(micros_now() - before < 8000000); /* nobody slept until the timeout */
  atomic_store(&duo->followed, 1);
  twind_free(reply);
  pthread_join(leader, NULL);
  twind_close(client);
  fake_server_stop(server);
}

/* Else the follower would sleep until its timeout of 10 s, with its reply unread in the socket. */
static void a_leader_that_leaves_hands_over(void) {
  struct duo duo = {.leader_first = true};
  lead_and_follow(&duo, "acme/customer/follower");
}

static void a_leader_serves_its_followers(void) {
  struct duo duo = {.leader_first = false};
  lead_and_follow(&duo, "acme/customer/follower");
}

/* The follower's request does not fit into the socket at once, while the leader waits for input only. */
static void a_leader_writes_what_a_follower_could_not(void) {
  struct duo duo = {.pause = 100000};
  size_t length = 262000;
  char *name = malloc(length + 1);
  memset(name, 'a', length);
  name[length] = 0;
  lead_and_follow(&duo, name);
  free(name);
}

struct deafness {
  atomic_bool deaf, over;
};

/* Takes two requests and then no more bytes, but does not close. */
static void serve_deaf(int fd, void *context) {
  struct deafness *deafness = context;
  struct received frame;
  for (int i = 0; i < 2 && receive(fd, &frame); i++) received_free(&frame);
  shutdown(fd, SHUT_RD);
  atomic_store(&deafness->deaf, true);
  while (!atomic_load(&deafness->over)) usleep(1000);
}

static void *call_in_vain(void *client) {
  twind_error error;
  CHECK(!get_twin(client, "acme/customer/leader", &error));
  CHECK_ERROR(error, TWIND_UNAVAILABLE, "cannot write to the daemon");
  return NULL;
}

/* Only the leader may end the connection, as what can still be read is its own: whoever fails to write tells it. */
static void a_leader_is_told_that_writing_failed(void) {
  struct deafness deafness = {0};
  struct fake_server *server = fake_server_start(serve_deaf, &deafness);
  twind_client *client = fake_server_client(server);
  pthread_t leader;
  CHECK(pthread_create(&leader, NULL, call_in_vain, client) == 0);
  Twind__V1__GetTwinRequest request = get_request("acme/customer/given-up");
  twind_error error;
  twind_call *given_up = twind_start_get_twin(client, &request, NULL, &error);
  CHECK(given_up);
  while (!atomic_load(&deafness.deaf)) usleep(1000);
  usleep(20000);
  int64_t before = micros_now();
  twind_cancel(given_up);
  pthread_join(leader, NULL);
  CHECK(micros_now() - before < 8000000);
  atomic_store(&deafness.over, true);
  twind_close(client);
  fake_server_stop(server);
}

int main(void) {
  RUN(every_thread_gets_its_own_replies);
  RUN(a_daemon_that_dies_is_found_again);
  RUN(a_leader_that_leaves_hands_over);
  RUN(a_leader_serves_its_followers);
  RUN(a_leader_writes_what_a_follower_could_not);
  RUN(a_leader_is_told_that_writing_failed);
  RUN(large_messages_pass_between_threads);
}
