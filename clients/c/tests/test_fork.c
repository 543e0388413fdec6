/* fork(): a connection belongs to the process that opened it. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "fake_server.h"

/* In a child, which has 20 seconds. */
static pid_t fork_child(void) {
  fflush(stdout);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) alarm(20);
  return child;
}

static void await_child(pid_t child) {
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK_EQUAL(status, 0);
}

/* The statements must not fail in a forked child. */
#define IN_CHILD(...)           \
  do {                          \
    pid_t child = fork_child(); \
    if (child == 0) {           \
      __VA_ARGS__;              \
      _exit(0);                 \
    }                           \
    await_child(child);         \
  } while (0)

/* Gets a twin of that number many times; each must be that one. */
static void get_number(twind_client *client, int number, int times) {
  char name[40];
  snprintf(name, sizeof name, "acme/customer/%d", number);
  twind_call_options options = {.timeout_micros = 5000000};
  for (int i = 0; i < times; i++) {
    twind_error error;
    Twind__V1__GetTwinRequest request = get_request(name);
    Twind__V1__GetTwinResponse *reply = twind_get_twin(client, &request, &options, &error);
    CHECK_ERROR(error, TWIND_OK, "");
    CHECK_TEXT(reply->twin->name, name);
    twind_free(reply);
  }
}

static void a_child_has_a_connection_of_its_own(void) {
  struct fake_server *server = fake_server_start(serve_twins, NULL);
  twind_client *client = fake_server_client(server);
  get_number(client, 1, 1);
  IN_CHILD(get_number(client, 2, 20); IN_CHILD(get_number(client, 3, 5)); get_number(client, 2, 5);
           twind_close(client));
  get_number(client, 1, 1);
  CHECK_EQUAL(fake_server_connections(server), 3);
  IN_CHILD(twind_close(client)); /* unused in the child */
  get_number(client, 1, 1);
  CHECK_EQUAL(fake_server_connections(server), 3);
  twind_close(client);
  fake_server_stop(server);
}

static void parent_and_children_at_once_get_their_own_twins(void) {
  struct fake_server *server = fake_server_start(serve_twins, NULL);
  twind_client *client = fake_server_client(server);
  pid_t children[4];
  for (int i = 0; i < 4; i++) {
    if ((children[i] = fork_child()) == 0) {
      get_number(client, i, 300);
      _exit(0);
    }
  }
  get_number(client, 4, 300);
  for (int i = 0; i < 4; i++) await_child(children[i]);
  CHECK_EQUAL(fake_server_connections(server), 5);
  twind_close(client);
  fake_server_stop(server);
}

struct caller {
  twind_client *client;
  atomic_bool *done;
  int number;
};

static void *call_until_done(void *argument) {
  struct caller *caller = argument;
  while (!atomic_load(caller->done)) get_number(caller->client, caller->number, 1);
  return NULL;
}

/* Locks that are held at the fork, by threads that the child does not have, hold up nobody. */
static void a_fork_while_other_threads_call(void) {
  struct fake_server *server = fake_server_start(serve_twins, NULL);
  twind_client *client = fake_server_client(server);
  atomic_bool done = false;
  struct caller callers[3];
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) {
    callers[i] = (struct caller){client, &done, i};
    CHECK(pthread_create(&threads[i], NULL, call_until_done, &callers[i]) == 0);
  }
  for (int i = 0; i < 40; i++) IN_CHILD(get_number(client, 9, 3); twind_close(client));
  atomic_store(&done, true);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  twind_close(client);
  fake_server_stop(server);
}

/* Listens, and accepts nobody: its backlog is filled with connections of our own, which stay open. */
static void listen_without_accepting(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  unlink(path);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0), filler;
  CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 1) == 0);
  do filler = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  while (connect(filler, (struct sockaddr *)&address, sizeof address) == 0);
}

static void expect_full_backlog(twind_client *client, int64_t timeout_micros) {
  twind_error error;
  Twind__V1__GetTwinRequest request = get_request("acme/customer/1");
  CHECK(!twind_get_twin(client, &request, &(twind_call_options){.timeout_micros = timeout_micros}, &error));
  CHECK_ERROR(error, TWIND_DEADLINE_EXCEEDED, "its backlog is full");
}

static void *connect_for_a_second(void *client) {
  expect_full_backlog(client, 1000000);
  return NULL;
}

/* The child does not wait for a thread that it does not have: it connects itself. */
static void a_fork_while_another_thread_connects(void) {
  struct fake_server *server = fake_server_start(serve_twins, NULL);
  twind_client *client = fake_server_client(server);
  fake_server_kill(server);
  listen_without_accepting(fake_server_path(server));
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, connect_for_a_second, client) == 0);
  usleep(100000);
  IN_CHILD(expect_full_backlog(client, 100000));
  pthread_join(thread, NULL);
  twind_close(client);
  fake_server_revive(server);
  fake_server_stop(server);
}

static void send_sequence(int fd, uint32_t stream, uint64_t sequence) {
  Twind__V1__WatchTwinsResponse message = TWIND__V1__WATCH_TWINS_RESPONSE__INIT;
  message.sequence = sequence;
  send_data(fd, stream, 0, &message.base);
}

/* To a watch: 1 and 2, and one more for each byte that the test writes into the pipe; else serves twins. */
static void serve_sequences(int fd, void *context) {
  struct received frame;
  while (receive(fd, &frame)) {
    if (frame.type == FRAME_REQUEST && strcmp(frame.request->method, "WatchTwins") == 0) {
      send_sequence(fd, frame.stream, 1);
      send_sequence(fd, frame.stream, 2);
      char byte;
      for (uint64_t sequence = 3; read(*(int *)context, &byte, 1) == 1; sequence++)
        send_sequence(fd, frame.stream, sequence);
    } else if (frame.type == FRAME_REQUEST) {
      send_twin(fd, &frame);
    }
    received_free(&frame);
  }
}

static twind_watch *watch_all(twind_client *client) {
  twind_error error;
  Twind__V1__WatchTwinsRequest request = TWIND__V1__WATCH_TWINS_REQUEST__INIT;
  request.prefix = "acme/";
  twind_watch *watch = twind_watch_twins(client, &request, NULL, &error);
  CHECK_ERROR(error, TWIND_OK, "");
  return watch;
}

static void expect_sequence(twind_watch *watch, uint64_t wanted) {
  twind_error error;
  Twind__V1__WatchTwinsResponse *message = twind_watch_wait(watch, 10000000, &error);
  CHECK(message);
  CHECK_EQUAL(message->sequence, wanted);
  twind_free(message);
}

static void expect_refusal(twind_watch *watch) {
  twind_error error;
  for (int i = 0; i < 2; i++) {
    CHECK(!twind_watch_next(watch, &error));
    CHECK_ERROR(error, TWIND_FAILED_PRECONDITION,
                "WatchTwins: this stream was opened by the parent process: open another");
    CHECK(!twind_watch_wait(watch, TWIND_NO_TIMEOUT, &error));
    CHECK_EQUAL(error.code, TWIND_FAILED_PRECONDITION);
    CHECK_EQUAL(twind_watch_fd(watch), -1);
    CHECK(!twind_watch_open(watch));
  }
}

static void a_watch_is_refused_in_a_child_and_goes_on_in_the_parent(void) {
  int pipe_ends[2];
  CHECK(pipe(pipe_ends) == 0);
  struct fake_server *server = fake_server_start(serve_sequences, &pipe_ends[0]);
  twind_client *client = fake_server_client(server);
  twind_watch *watch = watch_all(client);
  expect_sequence(watch, 1); /* the second may have come too */
  IN_CHILD(expect_refusal(watch); twind_watch_stop(watch); twind_watch_close(watch); get_number(client, 1, 1));
  IN_CHILD(twind_watch_stop(watch); twind_watch_close(watch));
  expect_sequence(watch, 2);
  CHECK(write(pipe_ends[1], "x", 1) == 1);
  expect_sequence(watch, 3);
  CHECK_EQUAL(fake_server_connections(server), 3);
  close(pipe_ends[1]);
  twind_watch_close(watch);
  twind_close(client);
  fake_server_stop(server);
  close(pipe_ends[0]);
}

/* The child returns into twind_watch_run, which ends there. */
static bool fork_at_the_first(const void *message, void *child) {
  if (((const Twind__V1__WatchTwinsResponse *)message)->sequence > 1) return false;
  *(pid_t *)child = fork_child();
  return true;
}

static void a_callback_may_fork(void) {
  int pipe_ends[2];
  CHECK(pipe(pipe_ends) == 0);
  struct fake_server *server = fake_server_start(serve_sequences, &pipe_ends[0]);
  twind_client *client = fake_server_client(server);
  twind_watch *watch = watch_all(client);
  pid_t child = 0;
  twind_error error;
  int code = twind_watch_run(watch, fork_at_the_first, &child, &error);
  if (child == 0) {
    CHECK_ERROR(error, TWIND_FAILED_PRECONDITION, "by the parent process");
    _exit(0);
  }
  CHECK_EQUAL(code, TWIND_OK);
  await_child(child);
  close(pipe_ends[1]);
  twind_watch_close(watch);
  twind_close(client);
  fake_server_stop(server);
  close(pipe_ends[0]);
}

/* Counts requests and cancels; answers the requests. */
struct counts {
  atomic_int requests, cancels;
};

static void serve_counted(int fd, void *context) {
  struct counts *counts = context;
  struct received frame;
  while (receive(fd, &frame)) {
    if (frame.type == FRAME_REQUEST) {
      atomic_fetch_add(&counts->requests, 1);
      send_twin(fd, &frame);
    } else if (frame.type == FRAME_CANCEL) {
      atomic_fetch_add(&counts->cancels, 1);
    }
    received_free(&frame);
  }
}

/* The first is on its way or answered, the others wait in the buffer. */
static void start_four(twind_client *client, twind_call *calls[4]) {
  Twind__V1__GetTwinRequest request = get_request("acme/customer/1");
  for (int i = 0; i < 4; i++) {
    twind_error error;
    calls[i] = twind_start_get_twin(client, &request, &(twind_call_options){.corked = i > 0}, &error);
    CHECK(calls[i]);
  }
}

static void expect_foreign(twind_call *call) {
  twind_error error;
  CHECK(!twind_finish(call, &error));
  CHECK_ERROR(error, TWIND_FAILED_PRECONDITION, "this call of GetTwin was started by the parent process: start another");
}

static void calls_of_the_parent_are_refused_in_a_child_and_made_once(void) {
  struct counts counts = {0};
  struct fake_server *server = fake_server_start(serve_counted, &counts);
  twind_client *client = fake_server_client(server);
  twind_call *calls[4];
  start_four(client, calls);
  IN_CHILD(expect_foreign(calls[0]); expect_foreign(calls[1]); twind_cancel(calls[2]); get_number(client, 7, 1);
           twind_cancel(calls[3]); twind_close(client));
  IN_CHILD(twind_close(client); expect_foreign(calls[0]); expect_foreign(calls[3]));
  for (int i = 0; i < 4; i++) {
    twind_error error;
    void *reply = twind_finish(calls[i], &error);
    CHECK_ERROR(error, TWIND_OK, "");
    twind_free(reply);
  }
  CHECK_EQUAL(atomic_load(&counts.requests), 5); /* with that of the child */
  CHECK_EQUAL(atomic_load(&counts.cancels), 0);
  CHECK_EQUAL(fake_server_connections(server), 2);
  twind_close(client);
  fake_server_stop(server);
}

/* Answers until the client is gone, and counts those that have gone. */
static void serve_until_gone(int fd, void *gone) {
  serve_twins(fd, NULL);
  atomic_fetch_add((atomic_int *)gone, 1);
}

static void leave_a_child_behind(const char *path, int lives) {
  twind_error error;
  twind_client *client = twind_connect(path, NULL, &error);
  CHECK_ERROR(error, TWIND_OK, "");
  get_number(client, 1, 1);
  watch_all(client);
  if (fork() > 0) _exit(0);
  char byte;
  CHECK(read(lives, &byte, 1) == 0); /* until the test ends it */
}

/* A child that never touches the client does not keep its connections. */
static void the_end_of_the_parent_is_seen_though_its_child_lives_on(void) {
  atomic_int gone = 0;
  struct fake_server *server = fake_server_start(serve_until_gone, &gone);
  int lives[2];
  CHECK(pipe(lives) == 0);
  IN_CHILD(close(lives[1]); leave_a_child_behind(fake_server_path(server), lives[0]));
  for (int i = 0; i < 2000 && atomic_load(&gone) < 2; i++) usleep(1000);
  CHECK_EQUAL(atomic_load(&gone), 2);
  close(lives[1]);
  close(lives[0]);
  fake_server_stop(server);
}

int main(void) {
  RUN(a_child_has_a_connection_of_its_own);
  RUN(parent_and_children_at_once_get_their_own_twins);
  RUN(a_fork_while_other_threads_call);
  RUN(a_fork_while_another_thread_connects);
  RUN(a_watch_is_refused_in_a_child_and_goes_on_in_the_parent);
  RUN(a_callback_may_fork);
  RUN(calls_of_the_parent_are_refused_in_a_child_and_made_once);
  RUN(the_end_of_the_parent_is_seen_though_its_child_lives_on);
}
