/* ttrpc requests and responses. */
#include "envelope.h"

#include <stdlib.h>

#include "arena.h"
#include "fault.h"
#include "frame.h"
#include "ttrpc/ttrpc.pb-c.h"

enum { METADATA_PAIRS_MAX = 16 };

/* Adds the pairs to `request`, the agent first. They are not copied. */
static void add_metadata(const struct envelope *envelope, Ttrpc__Request *request, Ttrpc__KeyValue *pairs,
                         Ttrpc__KeyValue **pointers) {
  size_t n = 0;
  if (envelope->agent) {
    ttrpc__key_value__init(&pairs[n]);
    pairs[n].key = (char *)"twind-agent";
    pairs[n++].value = (char *)envelope->agent;
  }
  for (size_t i = 0; i < envelope->n_metadata; i++) {
    ttrpc__key_value__init(&pairs[n]);
    pairs[n].key = (char *)envelope->metadata[i].key;
    pairs[n++].value = (char *)envelope->metadata[i].value;
  }
  for (size_t i = 0; i < n; i++) pointers[i] = &pairs[i];
  request->metadata = pointers;
  request->n_metadata = n;
}

static bool check_metadata(const struct envelope *envelope, twind_error *error) {
  if (envelope->n_metadata + (envelope->agent ? 1 : 0) > METADATA_PAIRS_MAX) {
    fault(error, TWIND_INVALID_ARGUMENT, "%zu pairs of metadata; at most %d are allowed, including the agent",
          envelope->n_metadata, METADATA_PAIRS_MAX);
    return false;
  }
  if (envelope->agent && !*envelope->agent) {
    fault(error, TWIND_INVALID_ARGUMENT, "the call's agent is empty: leave it NULL to use the client's agent");
    return false;
  }
  for (size_t i = 0; i < envelope->n_metadata; i++) {
    const twind_metadata *pair = &envelope->metadata[i];
    if (pair->key && *pair->key && pair->value) continue;
    fault(error, TWIND_INVALID_ARGUMENT, "metadata[%zu] has no %s", i, pair->value ? "key" : "value");
    return false;
  }
  return true;
}

static bool request_fits(const struct envelope *envelope, size_t bytes, twind_error *error) {
  const twind_method *method = envelope->method;
  if (envelope->message->descriptor != method->request)
    fault(error, TWIND_INVALID_ARGUMENT, "%s takes a %s, not a %s", method->name, method->request->name,
          envelope->message->descriptor ? envelope->message->descriptor->name : "message that is not initialised");
  else if (bytes > method->request_bytes_max)
    fault(error, TWIND_RESOURCE_EXHAUSTED, "the %s request has %zu bytes; at most %zu are allowed: split it",
          method->name, bytes, method->request_bytes_max);
  else
    return check_metadata(envelope, error);
  return false;
}

bool envelope_write_request(const struct envelope *envelope, struct buffer *out, twind_error *error) {
  bool typed = envelope->message->descriptor == envelope->method->request;
  size_t bytes = typed ? protobuf_c_message_get_packed_size(envelope->message) : 0;
  if (!request_fits(envelope, bytes, error)) return false;

  Ttrpc__KeyValue pairs[METADATA_PAIRS_MAX], *pointers[METADATA_PAIRS_MAX];
  Ttrpc__Request request = TTRPC__REQUEST__INIT;
  request.service = (char *)envelope->method->service;
  request.method = (char *)envelope->method->name;
  request.timeout_nano = envelope->timeout_nanos;
  add_metadata(envelope, &request, pairs, pointers);

  uint8_t small[1024], *payload = bytes <= sizeof small ? small : malloc(bytes);
  if (payload) protobuf_c_message_pack(envelope->message, payload);
  request.payload = (ProtobufCBinaryData){.len = bytes, .data = payload};
  size_t length = ttrpc__request__get_packed_size(&request);
  bool fits = length <= FRAME_PAYLOAD_BYTES_MAX;
  bool written = payload && fits && buffer_reserve(out, FRAME_HEADER_BYTES + length);
  if (written) {
    uint8_t flags = envelope->method->shape == TWIND_SERVER_STREAM ? FRAME_REMOTE_CLOSED : 0;
    frame_write_header(out->bytes + out->end,
                       &(struct frame){.type = FRAME_REQUEST, .flags = flags, .length = (uint32_t)length});
    ttrpc__request__pack(&request, out->bytes + out->end + FRAME_HEADER_BYTES);
    out->end += FRAME_HEADER_BYTES + length;
  } else if (!fits) {
    fault(error, TWIND_RESOURCE_EXHAUSTED, "the %s request with its metadata has %zu bytes; a frame holds at most %d",
          envelope->method->name, length, FRAME_PAYLOAD_BYTES_MAX);
  } else {
    fault(error, TWIND_RESOURCE_EXHAUSTED, "out of memory for a %s request of %zu bytes", envelope->method->name,
          length);
  }
  if (payload != small) free(payload);
  return written;
}

void *envelope_read_message(const twind_method *method, const uint8_t *bytes, size_t length, uint32_t factor,
                            twind_error *error) {
  void *message = arena_unpack(method->response, bytes, length, factor);
  if (message)
    fault_none(error);
  else
    fault(error, TWIND_INTERNAL,
          "the daemon's reply to %s (%zu bytes) is not a valid %s, or unpacking it takes more than %u times its size",
          method->name, length, method->response->name, factor);
  return message;
}

void *envelope_read_response(const twind_method *method, const uint8_t *bytes, size_t length, uint32_t factor,
                             twind_error *error) {
  Ttrpc__Response *response = arena_unpack(&ttrpc__response__descriptor, bytes, length, factor);
  void *message = NULL;
  if (!response)
    fault(error, TWIND_INTERNAL, "the daemon's reply to %s (%zu bytes) is not a ttrpc response", method->name, length);
  else if (response->status && response->status->code != TWIND_OK)
    fault_from_status(error, response->status);
  else
    message = envelope_read_message(method, response->payload.data, response->payload.len, factor, error);
  twind_free(response);
  return message;
}
