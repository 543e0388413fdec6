/* ttrpc's Request and Response around our messages. */
#ifndef TWIND_ENVELOPE_H
#define TWIND_ENVELOPE_H

#include <stdbool.h>
#include <twind/call.h>

#include "buffer.h"

struct envelope {
  const twind_method *method;
  const ProtobufCMessage *message;
  const char *agent; /* NULL = none */
  const twind_metadata *metadata;
  size_t n_metadata;
  int64_t timeout_nanos; /* 0 = none */
};

/* Appends a whole request frame to `out`, its stream id left 0. False with `error` when the message is not of the
 * method's type or larger than its limit. */
bool envelope_write_request(const struct envelope *envelope, struct buffer *out, twind_error *error);

/* The reply in a response frame's payload, released with twind_free; NULL with `error` when it states one, or is
 * not what it should be. No bytes at all are an empty reply. */
void *envelope_read_response(const twind_method *method, const uint8_t *bytes, size_t length, uint32_t factor,
                             twind_error *error);

/* A message that came without an envelope: a stream's data. */
void *envelope_read_message(const twind_method *method, const uint8_t *bytes, size_t length, uint32_t factor,
                            twind_error *error);

#endif
