/* Many calls in flight on one connection: order, one write, the stream limit, both directions full. */
#include <semaphore.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "fake_server.h"

static twind_call *start(twind_client *client, int number, bool corked) {
  char name[32];
  snprintf(name, sizeof name, "acme/customer/%d", number);
  Twind__V1__GetTwinRequest request = get_request(name);
  twind_error error;
  twind_call *call = twind_start_get_twin(client, &request, &(twind_call_options){.corked = corked}, &error);
  CHECK(call);
  return call;
}

static void finish(twind_call *call, int number) {
  char name[32];
  snprintf(name, sizeof name, "acme/customer/%d", number);
  twind_error error;
  Twind__V1__GetTwinResponse *reply = twind_finish(call, &error);
  CHECK(reply);
  CHECK_TEXT(reply->twin->name, name);
  twind_free(reply);
}

/* Collects requests and answers them last first, four at a time. */
static void serve_backwards(int fd, void *context) {
  (void)context;
  struct received frames[4];
  for (;;) {
    for (int i = 0; i < 4; i++)
      if (!receive(fd, &frames[i])) return;
    for (int i = 3; i >= 0; i--) {
      send_twin(fd, &frames[i]);
      received_free(&frames[i]);
    }
  }
}

static void replies_find_their_calls(void) {
  struct fake_server *server = fake_server_start(serve_backwards, NULL);
  twind_client *client = fake_server_client(server);
  twind_call *calls[64];
  for (int i = 0; i < 64; i++) calls[i] = start(client, i, i < 63);
  for (int i = 0; i < 64; i++) finish(calls[i], i);
  twind_close(client);
  fake_server_stop(server);
}

struct corking {
  sem_t looked, look;
  int early;      /* bytes that came before the last request */
  int first_read; /* bytes of the first read after it */
};

static void serve_corking(int fd, void *context) {
  struct corking *corking = context;
  sem_wait(&corking->look);
  ioctl(fd, FIONREAD, &corking->early);
  sem_post(&corking->looked);
  sem_wait(&corking->look);
  uint8_t bytes[4096];
  corking->first_read = (int)recv(fd, bytes, sizeof bytes, MSG_PEEK);
  serve_twins(fd, NULL);
}

static void corked_requests_go_out_together(void) {
  struct corking corking = {0};
  sem_init(&corking.looked, 0, 0);
  sem_init(&corking.look, 0, 0);
  struct fake_server *server = fake_server_start(serve_corking, &corking);
  twind_client *client = fake_server_client(server);
  twind_call *calls[16];
  for (int i = 0; i < 15; i++) calls[i] = start(client, i, true);
  sem_post(&corking.look);
  sem_wait(&corking.looked);
  CHECK_EQUAL(corking.early, 0);
  calls[15] = start(client, 15, false);
  sem_post(&corking.look);
  for (int i = 0; i < 16; i++) finish(calls[i], i);
  CHECK(corking.first_read > 15 * 64);
  /* Waiting for one writes what is corked, too. */
  twind_call *alone = start(client, 1, true);
  finish(alone, 1);
  twind_close(client);
  fake_server_stop(server);
}

struct counting {
  int open, most;
};

/* Answers only once no request has come for 20 ms, so that as many as possible are open. */
static void serve_lazily(int fd, void *context) {
  struct counting *counting = context;
  struct received frames[256];
  struct timeval patience = {.tv_usec = 20000};
  for (;;) {
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    char byte;
    while (counting->open < 256 && recv(fd, &byte, 1, MSG_PEEK) == 1)
      if (!receive(fd, &frames[counting->open++])) return;
    if (counting->open > counting->most) counting->most = counting->open;
    if (counting->open == 0 && recv(fd, &byte, 1, MSG_PEEK) == 0) return;
    for (int i = 0; i < counting->open; i++) {
      send_twin(fd, &frames[i]);
      received_free(&frames[i]);
    }
    counting->open = 0;
  }
}

static void no_more_than_128_are_open(void) {
  struct counting counting = {0};
  struct fake_server *server = fake_server_start(serve_lazily, &counting);
  twind_client *client = fake_server_client(server);
  twind_call *calls[500];
  for (int i = 0; i < 500; i++) calls[i] = start(client, i, true);
  for (int i = 0; i < 500; i++) finish(calls[i], i);
  twind_close(client);
  fake_server_stop(server);
  CHECK_EQUAL(counting.most, 128);
}

enum { GONE = 1000 };

/* Answers nothing; counts cancels, and adds GONE when the client closes. */
static void serve_silence(int fd, void *context) {
  struct received frame;
  while (receive(fd, &frame)) {
    if (frame.type == FRAME_CANCEL) atomic_fetch_add((atomic_int *)context, 1);
    received_free(&frame);
  }
  atomic_fetch_add((atomic_int *)context, GONE);
}

static void await_count(atomic_int *count, int wanted) {
  for (int64_t before = micros_now(); atomic_load(count) < wanted && micros_now() - before < 10000000;) usleep(100);
  CHECK_EQUAL(atomic_load(count), wanted);
}

static void a_full_connection_keeps_the_deadline(void) {
  atomic_int cancels = 0;
  struct fake_server *server = fake_server_start(serve_silence, &cancels);
  twind_client *client = fake_server_client(server);
  twind_call *calls[128];
  for (int i = 0; i < 128; i++) calls[i] = start(client, i, true);
  Twind__V1__GetTwinRequest request = get_request("acme/customer/128");
  twind_error error;
  CHECK(!twind_start_get_twin(client, &request, &(twind_call_options){.timeout_micros = 30000}, &error));
  CHECK_ERROR(error, TWIND_DEADLINE_EXCEEDED, "30.000 ms");
  for (int i = 0; i < 128; i++) twind_cancel(calls[i]);
  await_count(&cancels, 128);
  twind_close(client);
  fake_server_stop(server);
}

/* Each request is answered with as many bytes before the next is read: a client that does not read while it
 * writes would wait for ever. */
static void both_directions_may_be_full(void) {
  struct fake_server *server = fake_server_start(serve_twins, NULL);
  twind_client *client = fake_server_client(server);
  size_t length = 200000;
  char *name = malloc(length + 1);
  memset(name, 'a', length);
  name[length] = 0;
  Twind__V1__GetTwinRequest request = get_request(name);
  twind_call *calls[64];
  twind_error error;
  for (int i = 0; i < 64; i++) {
    calls[i] = twind_start_get_twin(client, &request, &(twind_call_options){.corked = i % 5 != 0}, &error);
    CHECK(calls[i]);
  }
  for (int i = 0; i < 64; i++) {
    Twind__V1__GetTwinResponse *reply = twind_finish(calls[i], &error);
    CHECK(reply && strlen(reply->twin->name) == length);
    twind_free(reply);
  }
  free(name);
  twind_close(client);
  fake_server_stop(server);
}

static void closing_ends_what_was_started(void) {
  atomic_int cancels = 0;
  struct fake_server *server = fake_server_start(serve_silence, &cancels);
  twind_client *client = fake_server_client(server);
  twind_call *first = start(client, 1, false), *second = start(client, 2, true);
  twind_close(client);
  await_count(&cancels, GONE); /* at once, not when the last call is released */
  twind_error error;
  CHECK(!twind_finish(first, &error));
  CHECK_ERROR(error, TWIND_CANCELLED, "the client was closed");
  twind_cancel(second);
  twind_cancel(NULL);
  fake_server_stop(server);
}

int main(void) {
  RUN(replies_find_their_calls);
  RUN(corked_requests_go_out_together);
  RUN(no_more_than_128_are_open);
  RUN(a_full_connection_keeps_the_deadline);
  RUN(both_directions_may_be_full);
  RUN(closing_ends_what_was_started);
}
