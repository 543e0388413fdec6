/* Watches: by waiting, by callback, by polling; every way to end. */
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "fake_server.h"

/* A connection on which the first request is followed by whatever the script sends. */
struct script {
  void (*send)(int fd, uint32_t stream);
  _Atomic uint8_t flags;
  _Atomic int64_t timeout;
  atomic_bool ended; /* the client has closed */
};

static void serve_script(int fd, void *context) {
  struct script *script = context;
  struct received frame;
  if (!receive(fd, &frame)) return;
  CHECK_EQUAL(frame.type, FRAME_REQUEST);
  CHECK_TEXT(frame.request->method, "WatchTwins");
  script->flags = frame.flags;
  script->timeout = frame.request->timeout_nano;
  script->send(fd, frame.stream);
  received_free(&frame);
  while (receive(fd, &frame)) received_free(&frame);
  atomic_store(&script->ended, true);
}

struct setting {
  struct script script;
  struct fake_server *server;
  twind_client *client;
  twind_watch *watch;
};

static struct setting *begin(void (*send)(int, uint32_t), const twind_call_options *options) {
  struct setting *s = calloc(1, sizeof *s);
  s->script.send = send;
  s->server = fake_server_start(serve_script, &s->script);
  twind_error error;
  s->client = twind_connect(fake_server_path(s->server), NULL, &error);
  CHECK(s->client);
  Twind__V1__WatchTwinsRequest request = TWIND__V1__WATCH_TWINS_REQUEST__INIT;
  request.prefix = "acme/";
  s->watch = twind_watch_twins(s->client, &request, options, &error);
  CHECK(s->watch);
  CHECK_EQUAL(error.code, TWIND_OK);
  return s;
}

static void end(struct setting *s) {
  twind_watch_close(s->watch);
  twind_close(s->client);
  fake_server_stop(s->server);
  free(s);
}

static void send_sequence(int fd, uint32_t stream, uint8_t flags, uint64_t sequence) {
  Twind__V1__WatchTwinsResponse message = TWIND__V1__WATCH_TWINS_RESPONSE__INIT;
  message.sequence = sequence;
  send_data(fd, stream, flags, &message.base);
}

static void expect_sequence(struct setting *s, uint64_t wanted) {
  twind_error error;
  Twind__V1__WatchTwinsResponse *message = twind_watch_wait(s->watch, 10000000, &error);
  CHECK(message);
  CHECK_EQUAL(message->sequence, wanted);
  twind_free(message);
}

/* The watch is over with this code, and stays so. */
static void expect_end(struct setting *s, int code, const char *part) {
  for (int i = 0; i < 2; i++) {
    twind_error error;
    CHECK(!twind_watch_wait(s->watch, 10000000, &error));
    CHECK(!twind_watch_open(s->watch));
    CHECK_ERROR(error, code, part);
  }
}

static void three_then_end(int fd, uint32_t stream) {
  for (uint64_t i = 1; i <= 3; i++) send_sequence(fd, stream, 0, i);
  send_frame(fd, stream, FRAME_DATA, FRAME_REMOTE_CLOSED | FRAME_NO_DATA, NULL, 0);
}

static void messages_come_in_order_and_end(void) {
  struct setting *s = begin(three_then_end, NULL);
  for (uint64_t i = 1; i <= 3; i++) expect_sequence(s, i);
  expect_end(s, TWIND_OK, "");
  CHECK_EQUAL(s->script.flags, FRAME_REMOTE_CLOSED);
  CHECK_EQUAL(s->script.timeout, 0);
  end(s);
}

static bool count(const void *message, void *context) {
  const Twind__V1__WatchTwinsResponse *change = message;
  uint64_t *last = context;
  CHECK_EQUAL(change->sequence, *last + 1);
  *last = change->sequence;
  return true;
}
static bool stop_at_two(const void *message, void *context) {
  return count(message, context) && *(uint64_t *)context < 2;
}

static void a_callback_gets_every_message(void) {
  struct setting *s = begin(three_then_end, NULL);
  twind_error error;
  uint64_t last = 0;
  CHECK_EQUAL(twind_watch_run(s->watch, stop_at_two, &last, &error), TWIND_OK);
  CHECK_EQUAL(last, 2);
  CHECK(twind_watch_open(s->watch));
  CHECK_EQUAL(twind_watch_run(s->watch, count, &last, NULL), TWIND_OK);
  CHECK_EQUAL(last, 3);
  CHECK(!twind_watch_open(s->watch));
  end(s);
}

/* Two messages in one write, one in two parts with a pause, one that also closes. */
static void in_pieces(int fd, uint32_t stream) {
  usleep(20000);
  int pair[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  send_sequence(pair[0], stream, 0, 1);
  send_sequence(pair[0], stream, 0, 2);
  send_frame(pair[0], stream + 2, FRAME_DATA, 0, "other", 5);
  send_frame(pair[0], stream, 99, 0, "unknown", 7);
  send_sequence(pair[0], stream, 0, 3);
  uint8_t bytes[256];
  ssize_t length = recv(pair[1], bytes, sizeof bytes, 0);
  send_bytes(fd, bytes, (size_t)length - 3);
  usleep(20000);
  send_bytes(fd, bytes + length - 3, 3);
  send_sequence(fd, stream, FRAME_REMOTE_CLOSED, 4);
  close(pair[0]);
  close(pair[1]);
}

static void polling_the_descriptor_finds_them_all(void) {
  struct setting *s = begin(in_pieces, NULL);
  twind_error error;
  CHECK(!twind_watch_next(s->watch, &error)); /* nothing yet, and no waiting */
  CHECK(error.code == TWIND_OK && twind_watch_open(s->watch));
  uint64_t last = 0;
  int polls = 0;
  while (twind_watch_open(s->watch)) {
    struct pollfd polled = {.fd = twind_watch_fd(s->watch), .events = POLLIN};
    CHECK_EQUAL(poll(&polled, 1, 10000), 1);
    CHECK(++polls < 10);
    Twind__V1__WatchTwinsResponse *message;
    while ((message = twind_watch_next(s->watch, &error))) {
      count(message, &last);
      twind_free(message);
    }
    CHECK_EQUAL(error.code, TWIND_OK);
  }
  CHECK_EQUAL(last, 4);
  end(s);
}

static void one_then_status(int fd, uint32_t stream) {
  send_sequence(fd, stream, 0, 1);
  send_status(fd, stream, TWIND_RESOURCE_EXHAUSTED, "the watch is too far behind");
}
static void close_at_once(int fd, uint32_t stream) { (void)stream, shutdown(fd, SHUT_RDWR); }
static void ok_response(int fd, uint32_t stream) { send_frame(fd, stream, FRAME_RESPONSE, 0, NULL, 0); }
static void last_message_as_response(int fd, uint32_t stream) {
  Twind__V1__WatchTwinsResponse message = TWIND__V1__WATCH_TWINS_RESPONSE__INIT;
  message.sequence = 8;
  send_reply(fd, stream, &message.base);
}

static void each_end_is_told_apart(void) {
  struct setting *s = begin(one_then_status, NULL);
  expect_sequence(s, 1);
  expect_end(s, TWIND_RESOURCE_EXHAUSTED, "too far behind");
  end(s);
  s = begin(close_at_once, NULL);
  expect_end(s, TWIND_UNAVAILABLE, "WatchTwins: the daemon closed the connection");
  end(s);
  s = begin(ok_response, NULL);
  expect_end(s, TWIND_OK, "");
  end(s);
  s = begin(last_message_as_response, NULL);
  expect_sequence(s, 8);
  expect_end(s, TWIND_OK, "");
  end(s);
}

static void garbage(int fd, uint32_t stream) { send_frame(fd, stream, FRAME_DATA, 0, "\xff\xff", 2); }
static void data_in_no_data(int fd, uint32_t stream) { send_frame(fd, stream, FRAME_DATA, FRAME_NO_DATA, "x", 1); }
static void giant(int fd, uint32_t stream) {
  (void)stream;
  send_bytes(fd, "\x01\x00\x00\x00\x00\x00\x00\x01\x03\x00", 10);
}

static void hostile_frames_end_the_watch(void) {
  struct setting *s = begin(garbage, NULL);
  expect_end(s, TWIND_INTERNAL, "is not a valid twind.v1.WatchTwinsResponse");
  end(s);
  s = begin(data_in_no_data, NULL);
  expect_end(s, TWIND_INTERNAL, "1 bytes in a frame that is marked as having no data");
  end(s);
  s = begin(giant, NULL);
  expect_end(s, TWIND_UNAVAILABLE, "a frame above 4 MiB");
  end(s);
}

static void nothing(int fd, uint32_t stream) { (void)fd, (void)stream; }

static void waiting_is_bounded(void) {
  struct setting *s = begin(nothing, NULL);
  twind_error error;
  int64_t before = micros_now();
  CHECK(!twind_watch_wait(s->watch, 30000, &error));
  CHECK(micros_now() - before >= 30000);
  CHECK(error.code == TWIND_OK && twind_watch_open(s->watch));
  end(s);
  s = begin(nothing, &(twind_call_options){.timeout_micros = 30000});
  expect_end(s, TWIND_DEADLINE_EXCEEDED, "timeout");
  CHECK_EQUAL(s->script.timeout, 30000000);
  end(s);
}

static void *stop_soon(void *watch) {
  usleep(20000);
  twind_watch_stop(watch);
  return NULL;
}

static void another_thread_can_stop_it(void) {
  struct setting *s = begin(nothing, NULL);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, stop_soon, s->watch) == 0);
  twind_error error;
  uint64_t last = 0;
  CHECK_EQUAL(twind_watch_run(s->watch, count, &last, &error), TWIND_CANCELLED);
  CHECK_ERROR(error, TWIND_CANCELLED, "stopped");
  pthread_join(thread, NULL);
  for (int64_t before = micros_now(); !atomic_load(&s->script.ended) && micros_now() - before < 10000000;) continue;
  CHECK(atomic_load(&s->script.ended));
  end(s);
}

static void a_unary_method_is_no_watch(void) {
  struct setting *s = begin(nothing, NULL);
  Twind__V1__GetTwinRequest request = get_request("acme/customer/1");
  twind_error error;
  CHECK(!twind_watch_start(s->client, &twind_get_twin_method, &request.base, NULL, &error));
  CHECK_ERROR(error, TWIND_INVALID_ARGUMENT, "use twind_invoke");
  end(s);
}

int main(void) {
  RUN(messages_come_in_order_and_end);
  RUN(a_callback_gets_every_message);
  RUN(polling_the_descriptor_finds_them_all);
  RUN(each_end_is_told_apart);
  RUN(hostile_frames_end_the_watch);
  RUN(waiting_is_bounded);
  RUN(another_thread_can_stop_it);
  RUN(a_unary_method_is_no_watch);
}
