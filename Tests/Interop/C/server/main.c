// Command c-server serves echo.proto with a server that behaves like containerd's Go library 1.2.3.
//
// Usage: c-server SOCKET. It prints "listening on SOCKET" once calls are accepted, and runs until it is ended. The
// interop stage runs our client against it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "echo.pb-c.h"
#include "go_server.h"

enum { INVALID_ARGUMENT = 3, DEADLINE_EXCEEDED = 4 };
static const struct outcome OK = {0}, UNDECODABLE = {INVALID_ARGUMENT, "error unmarshalling payload"};

typedef Ttrpc__Interop__EchoRequest Request;
typedef Ttrpc__Interop__EchoResponse Response;

// The next message; NULL when there are no more, or it cannot be decoded, which `bad` tells.
static Request *next(struct call *call, bool *bad) {
  uint8_t *bytes;
  size_t count;
  *bad = false;
  if (!call_next(call, &bytes, &count)) return NULL;
  Request *request = ttrpc__interop__echo_request__unpack(NULL, count, bytes);
  free(bytes);
  *bad = !request;
  return request;
}

static void answer(struct call *call, const char *text, ProtobufCBinaryData payload) {
  Response response = TTRPC__INTEROP__ECHO_RESPONSE__INIT;
  response.text = (char *)text;
  response.payload = payload;
  call_send(call, &response.base);
}

static void release(Request *request) { ttrpc__interop__echo_request__free_unpacked(request, NULL); }

// MARK: Unary

static struct outcome echo(struct call *call) {
  bool bad;
  Request *request = next(call, &bad);
  if (!request) return UNDECODABLE;
  const Ttrpc__Request *envelope = call_request(call);
  Response response = TTRPC__INTEROP__ECHO_RESPONSE__INIT;
  response.text = request->text;
  response.payload = request->payload;
  response.timeout_nano = envelope->timeout_nano;
  char **pairs = calloc(envelope->n_metadata + 1, sizeof *pairs);
  if (!pairs) abort();
  for (size_t i = 0; i < envelope->n_metadata; i++) {
    const Ttrpc__KeyValue *pair = envelope->metadata[i];
    size_t room = strlen(pair->key) + strlen(pair->value) + 2;
    pairs[i] = malloc(room);
    if (!pairs[i]) abort();
    snprintf(pairs[i], room, "%s=%s", pair->key, pair->value);
  }
  response.metadata = pairs;
  response.n_metadata = envelope->n_metadata;
  call_send(call, &response.base);
  for (size_t i = 0; i < envelope->n_metadata; i++) free(pairs[i]);
  free(pairs);
  release(request);
  return OK;
}

static struct outcome fail(struct call *call) {
  static _Thread_local char message[1024];
  bool bad;
  Request *request = next(call, &bad);
  if (!request) return UNDECODABLE;
  snprintf(message, sizeof message, "%s", request->fail_message);
  struct outcome outcome = {request->fail_code, message};
  release(request);
  return outcome;
}

static struct outcome nap(struct call *call) {
  bool bad;
  Request *request = next(call, &bad);
  if (!request) return UNDECODABLE;
  int64_t millis = request->sleep_millis, timeout = call_request(call)->timeout_nano / 1000000;
  bool too_long = timeout > 0 && timeout < millis;
  if (too_long) millis = timeout;
  nanosleep(&(struct timespec){.tv_sec = millis / 1000, .tv_nsec = millis % 1000 * 1000000}, NULL);
  answer(call, request->text, (ProtobufCBinaryData){0});
  release(request);
  return too_long ? (struct outcome){DEADLINE_EXCEEDED, "context deadline exceeded"} : OK;
}

static struct outcome empty(struct call *call) {
  answer(call, "", (ProtobufCBinaryData){0});
  return OK;
}

// MARK: Streams

static struct outcome echo_stream(struct call *call) {
  bool bad;
  for (Request *request; (request = next(call, &bad));) {
    answer(call, request->text, request->payload);
    release(request);
  }
  return bad ? UNDECODABLE : OK;
}

static struct outcome count(struct call *call) {
  bool bad;
  Request *request = next(call, &bad);
  if (!request) return UNDECODABLE;
  long total = strtol(request->text, NULL, 10);
  for (long i = 1; i <= total; i++) {
    char text[32];
    snprintf(text, sizeof text, "%ld", i);
    answer(call, text, (ProtobufCBinaryData){0});
  }
  release(request);
  return OK;
}

static struct outcome collect(struct call *call) {
  bool bad = false;
  size_t length = 0;
  char *text = calloc(1, 1);
  for (Request *request; text && (request = next(call, &bad));) {
    size_t more = strlen(request->text);
    text = realloc(text, length + more + 1);
    if (text) memcpy(text + length, request->text, more + 1);
    length += more;
    release(request);
  }
  if (!text) abort();
  answer(call, text, (ProtobufCBinaryData){0});
  free(text);
  return bad ? UNDECODABLE : OK;
}

static const struct method methods[] = {
    {"Echo", false, false, echo},           {"Fail", false, false, fail},   {"Sleep", false, false, nap},
    {"Empty", false, false, empty},         {"Count", false, true, count},  {"Collect", true, false, collect},
    {"EchoStream", true, true, echo_stream}, {0},
};

int main(int argument_count, char **arguments) {
  if (argument_count != 2) {
    fprintf(stderr, "usage: c-server SOCKET\n");
    return 2;
  }
  return server_run(arguments[1], "ttrpc.interop.Echo", methods);
}
