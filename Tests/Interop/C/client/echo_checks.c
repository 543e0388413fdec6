// The checks of a server of echo.proto: every streaming shape, with the flags that ttrpc-go 1.2.3 sends.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "echo.pb-c.h"
#include "../frame.h"
#include "refusals.h"

#define ECHO "ttrpc.interop.Echo"
#define COUNTS_TEXT "100000"
enum { END_FLAGS = REMOTE_CLOSED | NO_DATA, COUNTS = 100000 };

typedef Ttrpc__Interop__EchoRequest Request;
typedef Ttrpc__Interop__EchoResponse Response;

static Request request_of(const char *text) {
  Request request = TTRPC__INTEROP__ECHO_REQUEST__INIT;
  request.text = (char *)text;
  return request;
}

static struct call call_of(const char *method, const Request *request) {
  return (struct call){
      .service = ECHO, .method = method, .request = &request->base, .timeout_millis = ANSWER_MILLIS};
}

static struct reply call(struct client *client, const char *method, const Request *request) {
  struct call call = call_of(method, request);
  return client_call(client, &call);
}

static struct stream *stream(struct client *client, enum shape shape, const char *method, const char *text) {
  Request request = request_of(text ? text : "");
  struct call call = {.service = ECHO, .method = method, .request = text ? &request.base : NULL};
  return client_stream(client, shape, &call);
}

static bool send_text(struct stream *stream, const char *text) {
  Request request = request_of(text);
  return stream_send(stream, &request.base);
}

// Whether the reply is a message with this text; clears the reply.
static bool has_text(struct check *check, struct reply reply, const char *text) {
  if (reply.code != CALL_OK) return check_failed(check, "code %d \"%s\", not \"%s\"", reply.code, reply.message, text);
  Response *response = ttrpc__interop__echo_response__unpack(NULL, reply.length, reply.payload);
  bool same = response && strcmp(response->text, text) == 0;
  if (!same) check_failed(check, "\"%s\" came, not \"%s\"", response ? response->text : "(undecodable)", text);
  if (response) ttrpc__interop__echo_response__free_unpacked(response, NULL);
  reply_clear(&reply);
  return same;
}

// Whether the stream's next frame is the end of one that went well, with the flags that ttrpc 1.2 has for it.
static bool has_ended(struct check *check, struct stream *stream) {
  struct reply reply = stream_receive(stream, ANSWER_MILLIS);
  bool ended = reply.code == CALL_END && reply.type == FRAME_DATA && reply.flags == END_FLAGS;
  if (!ended) check_failed(check, "type %u, flags %u, code %d, not the end", reply.type, reply.flags, reply.code);
  reply_clear(&reply);
  return ended;
}

static bool is_alive(struct check *check) {
  Request request = request_of("still here");
  if (!has_text(check, call(check->client, "Echo", &request), "still here")) return false;
  REQUIRE(check, client_strays(check->client) == 0, "%u frames came for no stream", client_strays(check->client));
  return true;
}

// MARK: Unary

static bool unary(struct check *check) {
  Request request = request_of("näive");
  if (!has_text(check, call(check->client, "Echo", &request), "näive")) return false;
  if (!has_text(check, call(check->client, "Empty", &request), "")) return false;
  request.fail_code = CALL_FAILED_PRECONDITION;
  request.fail_message = "not so “fast”";
  struct reply reply = call(check->client, "Fail", &request);
  REQUIRE(check, reply.type == FRAME_RESPONSE && strcmp(reply.message, request.fail_message) == 0, "message \"%s\"",
          reply.message);
  REQUIRE_CODE(check, reply, CALL_FAILED_PRECONDITION);
  REQUIRE_CODE(check, call(check->client, "Missing", &request), CALL_UNIMPLEMENTED);
  return is_alive(check);
}

// The client's own timer and the server's answer race; when the timer wins, the answer comes for no stream.
static bool given_up(struct check *check) {
  Request request = request_of("late");
  request.sleep_millis = 60000;
  struct call sleep = call_of("Sleep", &request);
  sleep.timeout_millis = 100;
  struct reply reply = client_call(check->client, &sleep);
  REQUIRE(check, reply.code == CALL_TIMED_OUT || reply.code == CALL_DEADLINE_EXCEEDED, "code %d \"%s\"", reply.code,
          reply.message);
  request = request_of("after a deadline");
  return has_text(check, call(check->client, "Echo", &request), "after a deadline");
}

// MARK: Server streams

static bool server_stream(struct check *check) {
  struct stream *counting = stream(check->client, SERVER_STREAM, "Count", "500");
  REQUIRE(check, counting, "the connection has ended");
  for (int i = 1; i <= 500; i++) {
    char text[16];
    snprintf(text, sizeof text, "%d", i);
    struct reply reply = stream_receive(counting, ANSWER_MILLIS);
    REQUIRE(check, reply.type == FRAME_DATA && reply.flags == 0, "message %d: type %u, flags %u, code %d", i,
            reply.type, reply.flags, reply.code);
    if (!has_text(check, reply, text)) return false;
  }
  return has_ended(check, counting) && is_alive(check);
}

static bool server_stream_of_nothing(struct check *check) {
  struct stream *counting = stream(check->client, SERVER_STREAM, "Count", "0");
  return counting && has_ended(check, counting) && is_alive(check);
}

// An empty request is one all the same. A server waited for more: https://github.com/containerd/ttrpc/issues/126.
static bool server_stream_of_empty_request(struct check *check) {
  struct stream *counting = stream(check->client, SERVER_STREAM, "Count", "");
  REQUIRE(check, counting, "the connection has ended");
  struct reply reply = stream_receive(counting, ANSWER_MILLIS);
  REQUIRE(check, reply.type == FRAME_RESPONSE, "type %u, code %d", reply.type, reply.code);
  REQUIRE_CODE(check, reply, CALL_INVALID_ARGUMENT);
  return is_alive(check);
}

struct reading {
  struct check check;
  struct stream *stream;
  atomic_bool is_over;
  bool holds;
};

static void *read_counts(void *context) {
  struct reading *reading = context;
  reading->holds = true;
  for (int i = 1; i <= COUNTS && reading->holds; i++) {
    char text[16];
    snprintf(text, sizeof text, "%d", i);
    reading->holds = has_text(&reading->check, stream_receive(reading->stream, ANSWER_MILLIS), text);
  }
  if (reading->holds) reading->holds = has_ended(&reading->check, reading->stream);
  reading->is_over = true;
  return NULL;
}

static bool calls_beside_a_stream(struct check *check) {
  struct reading reading = {.check = *check, .stream = stream(check->client, SERVER_STREAM, "Count", COUNTS_TEXT)};
  REQUIRE(check, reading.stream, "the connection has ended");
  pthread_t thread;
  if (pthread_create(&thread, NULL, read_counts, &reading) != 0) abort();
  bool holds = true;
  int calls = 0;
  while (holds && !reading.is_over) {
    Request request = request_of("beside");
    holds = has_text(check, call(check->client, "Echo", &request), "beside");
    calls++;
  }
  pthread_join(thread, NULL);
  if (!holds) return false;
  REQUIRE(check, reading.holds, "%s", reading.check.why);
  REQUIRE(check, calls >= 2, "only %d calls were answered beside the stream", calls);
  return is_alive(check);
}

// MARK: Client streams

static bool client_stream_check(struct check *check, const char *first, const char *const *texts, const char *joined) {
  struct stream *collecting = stream(check->client, CLIENT_STREAM, "Collect", first);
  REQUIRE(check, collecting, "the connection has ended");
  for (; *texts; texts++) REQUIRE(check, send_text(collecting, *texts), "the connection has ended");
  REQUIRE(check, stream_close_send(collecting), "the connection has ended");
  struct reply reply = stream_receive(collecting, ANSWER_MILLIS);
  REQUIRE(check, reply.type == FRAME_RESPONSE && reply.flags == 0, "type %u, flags %u", reply.type, reply.flags);
  return has_text(check, reply, joined) && is_alive(check);
}

static bool client_stream_of_three(struct check *check) {
  return client_stream_check(check, NULL, (const char *const[]){"a", "", "b", "c", NULL}, "abc");
}

static bool client_stream_of_nothing(struct check *check) {
  return client_stream_check(check, NULL, (const char *const[]){NULL}, "");
}

static bool client_stream_with_request(struct check *check) {
  return client_stream_check(check, "first ", (const char *const[]){"second", NULL}, "first second");
}

// MARK: Bidirectional streams

static bool bidirectional(struct check *check) {
  struct stream *echo = stream(check->client, BIDIRECTIONAL, "EchoStream", NULL);
  REQUIRE(check, echo, "the connection has ended");
  // The last message is empty: a frame of no bytes and no flags, both ways.
  for (const char *const *text = (const char *const[]){"one", "two", "", NULL}; *text; text++) {
    REQUIRE(check, send_text(echo, *text), "the connection has ended");
    struct reply reply = stream_receive(echo, ANSWER_MILLIS);
    REQUIRE(check, reply.type == FRAME_DATA && reply.flags == 0, "type %u, flags %u", reply.type, reply.flags);
    if (!has_text(check, reply, *text)) return false;
  }
  REQUIRE(check, stream_close_send(echo), "the connection has ended");
  return has_ended(check, echo) && is_alive(check);
}

static bool half_closed(struct check *check) {
  struct stream *echo = stream(check->client, BIDIRECTIONAL, "EchoStream", NULL);
  REQUIRE(check, echo, "the connection has ended");
  for (int i = 0; i < 100; i++) {
    char text[16];
    snprintf(text, sizeof text, "%d", i);
    REQUIRE(check, send_text(echo, text), "the connection has ended");
  }
  REQUIRE(check, stream_close_send(echo), "the connection has ended");
  for (int i = 0; i < 100; i++) {
    char text[16];
    snprintf(text, sizeof text, "%d", i);
    if (!has_text(check, stream_receive(echo, ANSWER_MILLIS), text)) return false;
  }
  return has_ended(check, echo) && is_alive(check);
}

// The generated code never does this; NewStream can.
static bool bidirectional_with_request(struct check *check) {
  struct stream *echo = stream(check->client, BIDIRECTIONAL, "EchoStream", "in the request");
  REQUIRE(check, echo, "the connection has ended");
  if (!has_text(check, stream_receive(echo, ANSWER_MILLIS), "in the request")) return false;
  REQUIRE(check, stream_close_send(echo), "the connection has ended");
  return has_ended(check, echo) && is_alive(check);
}

// MARK: Ends with an error

// A message that cannot be decoded: its text is no UTF-8.
static bool ends_with_error(struct check *check, enum shape shape, const char *method) {
  struct stream *failing = stream(check->client, shape, method, NULL);
  REQUIRE(check, failing && send_text(failing, "\xff\xfe"), "the connection has ended");
  struct reply reply = stream_receive(failing, ANSWER_MILLIS);
  REQUIRE(check, reply.type == FRAME_RESPONSE, "type %u, flags %u", reply.type, reply.flags);
  REQUIRE_CODE(check, reply, CALL_INVALID_ARGUMENT);
  // The sender may not know yet, and goes on: nothing answers that.
  REQUIRE(check, send_text(failing, "late") && stream_close_send(failing), "the connection has ended");
  return is_alive(check);
}

static bool client_stream_ends_with_error(struct check *check) {
  return ends_with_error(check, CLIENT_STREAM, "Collect");
}

static bool bidirectional_ends_with_error(struct check *check) {
  return ends_with_error(check, BIDIRECTIONAL, "EchoStream");
}

static bool refused(struct check *check, enum shape shape, const char *method, int code) {
  struct stream *refused = stream(check->client, shape, method, "1");
  REQUIRE(check, refused, "the connection has ended");
  struct reply reply = stream_receive(refused, ANSWER_MILLIS);
  int got = reply.code;
  REQUIRE(check, reply.type == FRAME_RESPONSE && got == code, "%s: type %u, code %d \"%s\"", method, reply.type, got,
          reply.message);
  reply_clear(&reply);
  return true;
}

static bool wrong_shapes(struct check *check) {
  if (!refused(check, SERVER_STREAM, "Missing", CALL_UNIMPLEMENTED)) return false;
  if (!refused(check, BIDIRECTIONAL, "Missing", CALL_UNIMPLEMENTED)) return false;
  if (!refused(check, SERVER_STREAM, "Echo", CALL_INVALID_ARGUMENT)) return false;
  if (!refused(check, BIDIRECTIONAL, "Echo", CALL_INVALID_ARGUMENT)) return false;
  if (!refused(check, CLIENT_STREAM, "Count", CALL_INVALID_ARGUMENT)) return false;
  Request request = request_of("1");
  REQUIRE_CODE(check, call(check->client, "Count", &request), CALL_INVALID_ARGUMENT);
  REQUIRE_CODE(check, call(check->client, "Collect", &request), CALL_INVALID_ARGUMENT);
  return is_alive(check);
}

// MARK: Ids and sizes

static bool ids_used_up(struct check *check) {
  Request quick = request_of("quick"), slow = request_of("slow");
  slow.sleep_millis = 500;
  struct refusal_calls calls = {
      .quick = call_of("Echo", &quick), .slow = call_of("Sleep", &slow), .slow_code = CALL_OK};
  return check_ids_used_up(check, &calls);
}

static bool oversized(struct check *check) {
  Request quick = request_of("quick"), slow = request_of("slow"), large = request_of("large");
  slow.sleep_millis = 500;
  large.payload.len = FRAME_BYTES_MAX;
  large.payload.data = calloc(1, large.payload.len);
  if (!large.payload.data) abort();
  struct refusal_calls calls = {
      .quick = call_of("Echo", &quick),
      .slow = call_of("Sleep", &slow),
      .slow_code = CALL_OK,
      .large = call_of("Echo", &large),
  };
  bool holds = check_oversized(check, &calls);
  free(large.payload.data);
  return holds;
}

const struct check_entry echo_checks[] = {
    {"unary: replies, empty replies and errors", unary, 20},
    {"a call given up at its deadline does no harm", given_up, 20},
    {"server stream: 500 messages in order, ended by remote closed | no data", server_stream, 20},
    {"server stream without messages", server_stream_of_nothing, 20},
    {"server stream whose request is empty", server_stream_of_empty_request, 20},
    {"server stream of 100,000 messages, with unary calls beside it", calls_beside_a_stream, 20},
    {"client stream: messages, one of them empty, and one response", client_stream_of_three, 20},
    {"client stream without messages", client_stream_of_nothing, 20},
    {"client stream whose request is its first message", client_stream_with_request, 20},
    {"bidirectional stream: in turn, the last message empty", bidirectional, 20},
    {"bidirectional stream: half-closed before its replies are read", half_closed, 20},
    {"bidirectional stream whose request is its first message", bidirectional_with_request, 20},
    {"client stream that ends with an error", client_stream_ends_with_error, 20},
    {"bidirectional stream that ends with an error", bidirectional_ends_with_error, 20},
    {"flags that do not fit the method are refused on their stream", wrong_shapes, 20},
    {"used-up ids: UNAVAILABLE, calls under way end, a new connection works", ids_used_up, 20},
    {"an oversized request: the reason arrives, calls under way end", oversized, 30},
    {0},
};
