// Packs and unpacks the envelopes; see envelope.h.
#include "envelope.h"

#include <stdio.h>
#include <stdlib.h>

#include "ttrpc/ttrpc.pb-c.h"

uint8_t *message_bytes(const ProtobufCMessage *message, size_t *count) {
  *count = message ? protobuf_c_message_get_packed_size(message) : 0;
  if (*count == 0) return NULL;
  uint8_t *bytes = malloc(*count);
  if (!bytes) abort();
  protobuf_c_message_pack(message, bytes);
  return bytes;
}

uint8_t *envelope_of_call(const struct call *call, bool is_unary, size_t *count) {
  size_t payload_count;
  uint8_t *payload = message_bytes(call->request, &payload_count);
  Ttrpc__Request request = TTRPC__REQUEST__INIT;
  request.service = (char *)call->service;
  request.method = (char *)call->method;
  request.payload = (ProtobufCBinaryData){.len = payload_count, .data = payload};
  Ttrpc__KeyValue pair = TTRPC__KEY_VALUE__INIT, *pairs = &pair;
  if (is_unary) {
    request.timeout_nano = call->timeout_millis * 1000000LL;
    if (call->metadata_key) {
      pair.key = (char *)call->metadata_key;
      pair.value = (char *)call->metadata_value;
      request.metadata = &pairs;
      request.n_metadata = 1;
    }
  }
  uint8_t *bytes = message_bytes(&request.base, count);
  free(payload);
  return bytes;
}

struct reply reply_of_response(const struct frame *frame) {
  struct reply reply = {.type = frame->type, .flags = frame->flags};
  Ttrpc__Response *response = ttrpc__response__unpack(NULL, frame->length, frame->payload);
  if (!response) {
    reply.code = CALL_PROTOCOL;
    snprintf(reply.message, sizeof reply.message, "the response of stream %u cannot be decoded", frame->stream);
  } else {
    if (response->status) {
      reply.code = response->status->code;
      snprintf(reply.message, sizeof reply.message, "%s", response->status->message);
    }
    reply.payload = response->payload.data;
    reply.length = response->payload.len;
    response->payload = (ProtobufCBinaryData){0};
    ttrpc__response__free_unpacked(response, NULL);
  }
  free(frame->payload);
  return reply;
}

void reply_clear(struct reply *reply) {
  free(reply->payload);
  *reply = (struct reply){0};
}
