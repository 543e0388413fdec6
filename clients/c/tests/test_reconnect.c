/* Connections that end: what is retried, what is not, and stream ids that run out. */
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "client.h"
#include "fake_server.h"

static void a_restarted_daemon_is_not_noticed_by_an_idle_client(void) {
  struct fake_server *server = fake_server_start(serve_twins, NULL);
  twind_client *client = fake_server_client(server);
  twind_error error;
  twind_free(get_twin(client, "acme/customer/1", &error));
  for (int i = 0; i < 3; i++) {
    fake_server_kill(server);
    fake_server_revive(server);
    Twind__V1__GetTwinResponse *reply = get_twin(client, "acme/customer/1", &error);
    CHECK(reply);
    twind_free(reply);
  }
  CHECK_EQUAL(fake_server_connections(server), 4);
  twind_close(client);
  fake_server_stop(server);
}

static void an_absent_daemon_is_an_error_until_it_is_back(void) {
  struct fake_server *server = fake_server_start(serve_twins, NULL);
  twind_client *client = fake_server_client(server);
  fake_server_kill(server);
  twind_error error;
  for (int i = 0; i < 3; i++) {
    CHECK(!get_twin(client, "acme/customer/1", &error));
    CHECK_ERROR(error, TWIND_UNAVAILABLE, "no daemon is listening at");
  }
  fake_server_revive(server);
  twind_free(get_twin(client, "acme/customer/1", &error));
  CHECK_EQUAL(error.code, TWIND_OK);
  twind_close(client);
  fake_server_stop(server);
}

/* Takes one request and dies without an answer. */
static void serve_and_die(int fd, void *context) {
  struct received frame;
  if (!receive(fd, &frame)) return;
  if (frame.type == FRAME_REQUEST) atomic_fetch_add((atomic_int *)context, 1);
  received_free(&frame);
}

static void a_call_whose_outcome_is_unknown_is_not_repeated(void) {
  atomic_int requests = 0;
  struct fake_server *server = fake_server_start(serve_and_die, &requests);
  twind_client *client = fake_server_client(server);
  twind_error error;
  for (int i = 1; i <= 2; i++) {
    CHECK(!get_twin(client, "acme/customer/1", &error));
    CHECK_ERROR(error, TWIND_UNAVAILABLE, "GetTwin: the daemon closed the connection before it answered");
    CHECK_EQUAL(atomic_load(&requests), i);
  }
  twind_close(client);
  fake_server_stop(server);
}

/* Answers one request and closes at once: the reply must not be lost to the error that a second request meets. */
static void serve_once(int fd, void *closed) {
  struct received frame;
  if (!receive(fd, &frame)) return;
  send_twin(fd, &frame);
  received_free(&frame);
  shutdown(fd, SHUT_RDWR);
  atomic_fetch_add((atomic_int *)closed, 1);
}

static void what_was_answered_before_the_end_is_delivered(void) {
  atomic_int closed = 0;
  struct fake_server *server = fake_server_start(serve_once, &closed);
  Twind__V1__GetTwinRequest request = get_request("acme/customer/1");
  for (int i = 0; i < 20; i++) {
    twind_client *client = fake_server_client(server);
    twind_error error;
    twind_call *first = twind_start_get_twin(client, &request, NULL, &error);
    CHECK(first);
    while (atomic_load(&closed) < 2 * i + 1) usleep(100);
    twind_call *second = twind_start_get_twin(client, &request, NULL, &error);
    CHECK(second); /* on a new connection */
    Twind__V1__GetTwinResponse *reply = twind_finish(first, &error);
    CHECK(reply);
    twind_free(reply);
    reply = twind_finish(second, &error);
    CHECK(reply);
    twind_free(reply);
    twind_close(client);
    while (atomic_load(&closed) < 2 * i + 2) usleep(100);
  }
  fake_server_stop(server);
}

/* Closes each connection before it reads. */
static void serve_nobody(int fd, void *context) { (void)fd, (void)context; }

static void a_daemon_that_always_closes_is_given_up(void) {
  struct fake_server *server = fake_server_start(serve_nobody, NULL);
  twind_client *client = fake_server_client(server);
  twind_error error;
  CHECK(!get_twin(client, "acme/customer/1", &error));
  CHECK_EQUAL(error.code, TWIND_UNAVAILABLE);
  CHECK(fake_server_connections(server) <= 4);
  twind_close(client);
  fake_server_stop(server);
}

/* A request that was corked when the connection broke was never sent, and the error says so. */
static void an_unsent_request_is_named_as_such(void) {
  struct fake_server *server = fake_server_start(serve_twins, NULL);
  twind_client *client = fake_server_client(server);
  Twind__V1__GetTwinRequest request = get_request("acme/customer/1");
  twind_error error;
  twind_call *call = twind_start_get_twin(client, &request, &(twind_call_options){.corked = true}, &error);
  CHECK(call);
  fake_server_kill(server);
  CHECK(!twind_finish(call, &error));
  CHECK_ERROR(error, TWIND_UNAVAILABLE, "GetTwin was not sent");
  CHECK(strstr(error.message, "it had no effect"));
  twind_close(client);
  fake_server_revive(server);
  fake_server_stop(server);
}

/* The first connection is not read from and ends after 50 ms; the others are served. */
static void serve_the_second(int fd, void *connections) {
  if (atomic_fetch_add((atomic_int *)connections, 1) == 0)
    usleep(50000);
  else
    serve_twins(fd, NULL);
}

static void *get_large(void *client) {
  size_t length = 262000;
  char *name = malloc(length + 1);
  memset(name, 'a', length);
  name[length] = 0;
  twind_error error;
  Twind__V1__GetTwinResponse *reply = get_twin(client, name, &error);
  CHECK_ERROR(error, TWIND_OK, "");
  twind_free(reply);
  free(name);
  return NULL;
}

/* Requests that wait together for room in the socket, and are then sent again together. */
static void several_unsent_requests_are_sent_again(void) {
  atomic_int connections = 0;
  struct fake_server *server = fake_server_start(serve_the_second, &connections);
  twind_client *client = fake_server_client(server);
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) CHECK(pthread_create(&threads[i], NULL, get_large, client) == 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  CHECK_EQUAL(fake_server_connections(server), 2);
  twind_close(client);
  fake_server_stop(server);
}

static void a_new_connection_comes_before_stream_ids_run_out(void) {
  struct fake_server *server = fake_server_start(serve_twins, NULL);
  twind_client *client = fake_server_client(server);
  client->channel->next_id = UINT32_MAX - 4;
  Twind__V1__GetTwinRequest request = get_request("acme/customer/1");
  twind_call *calls[8];
  twind_error error;
  for (int i = 0; i < 8; i++) CHECK(calls[i] = twind_start_get_twin(client, &request, NULL, &error));
  CHECK_EQUAL(client->channel->next_id, 11); /* three on the old one, five on the new */
  for (int i = 0; i < 8; i++) {
    Twind__V1__GetTwinResponse *reply = twind_finish(calls[i], &error);
    CHECK(reply);
    twind_free(reply);
  }
  CHECK_EQUAL(fake_server_connections(server), 2);
  twind_close(client);
  fake_server_stop(server);
}

int main(void) {
  RUN(a_restarted_daemon_is_not_noticed_by_an_idle_client);
  RUN(an_absent_daemon_is_an_error_until_it_is_back);
  RUN(a_call_whose_outcome_is_unknown_is_not_repeated);
  RUN(what_was_answered_before_the_end_is_delivered);
  RUN(a_daemon_that_always_closes_is_given_up);
  RUN(an_unsent_request_is_named_as_such);
  RUN(several_unsent_requests_are_sent_again);
  RUN(a_new_connection_comes_before_stream_ids_run_out);
}
