/* Unary calls. */
#include <stdlib.h>

#include "client.h"
#include "clock.h"
#include "fault.h"

/* How often in a row a connection that breaks before the request is sent is replaced, before the call fails. */
enum { START_ATTEMPTS_MAX = 3 };

struct twind_call {
  struct stream stream;
  struct channel *channel;
  const twind_method *method;
  int64_t timeout_nanos; /* INT64_MAX: none */
  int64_t deadline;
  uint32_t unpack_factor;
};

static void call_free(twind_call *call) {
  if (call->channel) channel_release(call->channel);
  buffer_free(&call->stream.reply);
  free(call);
}

static void timeout_fault(const twind_call *call, twind_error *error) {
  fault(error, TWIND_DEADLINE_EXCEEDED, "%s took longer than its timeout of %.3f ms", call->method->name,
        (double)call->timeout_nanos / 1e6);
}

static bool send_request(twind_call *call, twind_client *client, const struct buffer *frame, bool corked,
                         twind_error *error) {
  for (int attempt = 0; attempt < START_ATTEMPTS_MAX; attempt++) {
    call->channel = client_channel(client, call->deadline, error);
    if (!call->channel) return false;
    switch (channel_start(call->channel, &call->stream, frame, corked, call->deadline)) {
      case CHANNEL_STARTED:
        return true;
      case CHANNEL_TIMED_OUT:
        timeout_fault(call, error);
        return false;
      case CHANNEL_NO_MEMORY:
        fault(error, TWIND_RESOURCE_EXHAUSTED, "out of memory for a %s request", call->method->name);
        return false;
      case CHANNEL_UNUSABLE:
        channel_release(call->channel);
        call->channel = NULL;
    }
  }
  fault(error, TWIND_UNAVAILABLE, "%s was not sent: the daemon at %s closes every connection at once",
        call->method->name, client->path);
  return false;
}

static bool may_start(const twind_method *method, int64_t timeout_nanos, twind_error *error) {
  if (method->shape == TWIND_SERVER_STREAM)
    fault(error, TWIND_INVALID_ARGUMENT, "%s returns a stream: use twind_watch_start", method->name);
  else if (method->shape != TWIND_UNARY)
    fault(error, TWIND_INVALID_ARGUMENT, "%s takes a stream of requests: this library has no call for it", method->name);
  else if (timeout_nanos < 0)
    fault(error, TWIND_DEADLINE_EXCEEDED, "%s was not sent: its timeout is negative", method->name);
  else
    return true;
  return false;
}

twind_call *twind_start(twind_client *client, const twind_method *method, const ProtobufCMessage *request,
                        const twind_call_options *options, twind_error *error) {
  bool stated = options && options->timeout_micros;
  int64_t timeout = saturating_nanos(stated ? options->timeout_micros : client->call_timeout_micros);
  if (!may_start(method, timeout, error)) return NULL;
  twind_call *call = calloc(1, sizeof *call);
  if (!call) {
    fault(error, TWIND_RESOURCE_EXHAUSTED, "out of memory for a %s call", method->name);
    return NULL;
  }
  call->method = method;
  call->timeout_nanos = timeout;
  call->deadline = deadline_after(timeout);
  call->unpack_factor = client->unpack_factor;
  struct buffer frame = {0};
  struct envelope envelope = client_envelope(client, method, request, options, timeout);
  bool sent = envelope_write_request(&envelope, &frame, error) &&
              send_request(call, client, &frame, options && options->corked, error);
  buffer_free(&frame);
  if (sent) {
    fault_none(error);
    return call;
  }
  call_free(call);
  return NULL;
}

/* Needs no lock: the stream has reached its final state. */
static void *take_result(const twind_call *call, twind_error *error) {
  const char *name = call->method->name;
  if (call->channel->foreign) {
    fault(error, TWIND_FAILED_PRECONDITION,
          "this call of %s was started by the parent process: start another one in this process", name);
    return NULL;
  }
  switch (call->stream.state) {
    case STREAM_ANSWERED:
      return envelope_read_response(call->method, call->stream.reply.bytes, call->stream.reply.end,
                                    call->unpack_factor, error);
    case STREAM_VIOLATED:
      fault(error, TWIND_INTERNAL, "the daemon answered %s with a stream", name);
      break;
    case STREAM_NO_MEMORY:
      fault(error, TWIND_RESOURCE_EXHAUSTED, "out of memory for the reply to %s", name);
      break;
    case STREAM_LOST:
      fault(error, call->channel->failure_code, "%s: %s before it answered; whether a write took effect is unknown",
            name, call->channel->failure);
      break;
    case STREAM_UNSENT:
      fault(error, call->channel->failure_code, "%s was not sent: %s; it had no effect", name, call->channel->failure);
      break;
    case STREAM_OPEN:
    case STREAM_ABANDONED:
      timeout_fault(call, error);
  }
  return NULL;
}

void *twind_finish(twind_call *call, twind_error *error) {
  channel_await(call->channel, &call->stream, call->deadline);
  void *reply = take_result(call, error);
  call_free(call);
  return reply;
}

void twind_cancel(twind_call *call) {
  if (!call) return;
  channel_abandon(call->channel, &call->stream);
  call_free(call);
}

void *twind_invoke(twind_client *client, const twind_method *method, const ProtobufCMessage *request,
                   const twind_call_options *options, twind_error *error) {
  twind_call_options uncorked = options ? *options : (twind_call_options){0};
  uncorked.corked = false;
  twind_call *call = twind_start(client, method, request, &uncorked, error);
  return call ? twind_finish(call, error) : NULL;
}
